# SPDX-License-Identifier: BSD-2-Clause
#
# bash completion of the xenstore commands: paths and domains from the live
# store, options from each command's --help, commands of the daemon from its
# help. Only asks; a store that is away completes nothing.

# The command for MODE ($2) that belongs to the one typed ($1), as words.
_xenstore_tool()
{
	case ${1##*/}:$2 in
	xenstore-history:list) printf '%s\n' "${1%-history}-list" ;;
	xenstore:* | xenstore-history:*) printf '%s\n%s\n' "$1" "$2" ;;
	*) printf '%s\n' "${1%xenstore-*}xenstore-$2" ;;
	esac
}

# Long options of the command in the arguments.
_xenstore_options()
{
	"$@" --help 2>/dev/null | sed -n 's/^  *\(-[a-zA-Z], *\)\{0,1\}\(--[a-z][a-z-]*\).*/\2/p'
}

# Nodes that begin with $cur, by the lister in the arguments. One with children
# gets a slash, so that the next <Tab> goes on below it.
_xenstore_nodes()
{
	local parent=${cur%/*} node nodes=()

	case $cur in
	'') COMPREPLY+=(/); compopt -o nospace 2>/dev/null; return ;;
	*/*) ;;
	*) return ;; # the home of a domain cannot be listed
	esac
	while IFS= read -r node; do
		node=${parent%/}/$node
		[[ $node != "$cur"* ]] || nodes+=("$node")
	done < <(XENSTORE_RECONNECT=0 "$@" "${parent:-/}" 2>/dev/null)
	if [[ ${#nodes[@]} -eq 1 &&
	    -n $(XENSTORE_RECONNECT=0 "$@" "${nodes[0]}" 2>/dev/null) ]]; then
		nodes=("${nodes[0]}/")
		compopt -o nospace 2>/dev/null
	fi
	COMPREPLY+=("${nodes[@]}")
}

# Rights of the domains that there are.
_xenstore_rights()
{
	local domid letter

	for domid in 0 $(XENSTORE_RECONNECT=0 "$@" /local/domain 2>/dev/null | sed '/^0$/d'); do
		for letter in n r w b; do
			COMPREPLY+=("$letter$domid")
		done
	done
}

# Does the word $1 of mode $2 want an argument of its own?
_xenstore_takes_value()
{
	case $2:$1 in
	*:--number | *:--depth | *:--glob | *:--exec | *:--timeout | *:--if-equals | *:--at) return 0 ;;
	*:--since | *:--domid | *:--database) return 0 ;;
	watch:-n | watch:-d | ls:-d | log:-[nsdD] | blame:-[tD] | diff:-D | why:-[dD]) return 0 ;;
	esac
	return 1
}

# Completes word $COMP_CWORD as operand or option of mode $1, whose words begin
# at index $2.
_xenstore_mode()
{
	local mode=$1 first=$2 operands=0 i tool=() lister=()

	mapfile -t tool < <(_xenstore_tool "${COMP_WORDS[0]}" "$mode")
	mapfile -t lister < <(_xenstore_tool "${COMP_WORDS[0]}" list)
	if [[ ${COMP_WORDS[COMP_CWORD - 1]} == = || $cur == = ]] ||
	    _xenstore_takes_value "${COMP_WORDS[COMP_CWORD - 1]}" "$mode"; then
		return # --option=VALUE, --option VALUE
	fi
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_xenstore_options "${tool[@]}")" -- "$cur")
		return
	fi
	for ((i = first; i < COMP_CWORD; i++)); do
		if _xenstore_takes_value "${COMP_WORDS[i]}" "$mode"; then
			i=$((i + 1))
		elif [[ ${COMP_WORDS[i]} != -* ]]; then
			operands=$((operands + 1))
		fi
	done
	case $mode in
	write) [[ $((operands % 2)) -eq 1 ]] && return ;;
	chmod)
		if [[ $operands -gt 0 ]]; then
			_xenstore_rights "${lister[@]}"
			mapfile -t COMPREPLY < <(compgen -W "${COMPREPLY[*]}" -- "$cur")
			return
		fi
		;;
	diff)
		if [[ $operands -lt 2 ]]; then # moments
			mapfile -t COMPREPLY < <(compgen -W now -- "$cur")
			return
		fi
		;;
	watch)
		# bash takes @ for the end of a word: what is behind it is asked for
		if [[ $cur == @ || ${COMP_WORDS[COMP_CWORD - 1]} == @ ]]; then
			mapfile -t COMPREPLY < <(compgen -W 'introduceDomain releaseDomain' -- "${cur#@}")
			return
		fi
		[[ -n $cur ]] || COMPREPLY=(@introduceDomain @releaseDomain)
		;;
	esac
	_xenstore_nodes "${lister[@]}"
}

_xenstore()
{
	local cur=${COMP_WORDS[COMP_CWORD]} name=${COMP_WORDS[0]##*/}
	local modes='blame chmod diff exists list log ls read rm watch why write'

	COMPREPLY=()
	[[ $name != xenstore-history ]] || modes='blame diff log ls why'
	if [[ $name == xenstore-* && $name != xenstore-history ]]; then
		_xenstore_mode "${name#xenstore-}" 1
	elif [[ $COMP_CWORD -eq 1 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$modes" -- "$cur")
	else
		_xenstore_mode "${COMP_WORDS[1]}" 2
	fi
}

_xenstore_control()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words

	COMPREPLY=()
	if [[ $COMP_CWORD -eq 1 ]]; then
		words=$(XENSTORE_RECONNECT=0 "${COMP_WORDS[0]}" help 2>/dev/null | sed 's/ .*//')
		mapfile -t COMPREPLY < <(compgen -W "$words live-update" -- "$cur" | sort -u)
	elif [[ ${COMP_WORDS[1]} == live-update || ${COMP_WORDS[1]} == logfile ]]; then
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
	fi
}

complete -F _xenstore xenstore xenstore-{chmod,exists,list,ls,read,rm,watch,write} \
	xenstore-{log,blame,why,diff,history}
complete -F _xenstore_control xenstore-control
