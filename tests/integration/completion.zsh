# SPDX-License-Identifier: BSD-2-Clause
# completion.zsh FOLDER LINE: what LINE is after <Tab>, in a zsh of its own that
# finds the completions in FOLDER. For completion.sh.
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= RPS1= PROMPT_EOL_MARK=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D
dump() { print -r -- \"<<\$BUFFER>>\"; BUFFER=; zle accept-line }; zle -N dump; bindkey '^X' dump; stty -echo; print READY''NOW"
zpty -r z line '*READYNOW*'
zpty -w -n z "$2"$'\t\C-X'
zpty -r z line '*<<*>>*'
line=${line##*<<}
print -r -- "${line%%>>*}"
zpty -d z
