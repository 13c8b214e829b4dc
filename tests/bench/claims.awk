# claims.awk CLAIMS BOUNDS SAMPLES: a table of what was to be reached and what was,
# and under it what bounds each claim that was not.
function median(key, out, i, j, n, t) {
	n = split(values[key], out, " ")
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && out[j - 1] + 0 > out[j] + 0; j--) {
			t = out[j]; out[j] = out[j - 1]; out[j - 1] = t
		}
	if (n == 0)
		return ""
	return n % 2 ? out[(n + 1) / 2] + 0 : (out[n / 2] + out[n / 2 + 1]) / 2
}
# The median of "what @ whose"; of the better stock daemon, where MORE is better.
function figure(name, more, what, a, b) {
	if (name ~ / @ C$/) {
		sub(/ @ C$/, "", name)
		a = median(name "\tDebian's xenstored 4.17")
		return a != "" ? a : median(name "\tDebian's, given up")
	}
	if (name !~ / @ stock$/) {
		sub(/ @ /, "\t", name)
		return median(name)
	}
	what = substr(name, 1, length(name) - length(" @ stock"))
	a = median(what "\tDebian's xenstored 4.17")
	b = median(what "\tDebian's oxenstored 4.17")
	if (a == "" || b == "")
		return a == "" ? b : a
	return more == (a > b) ? a : b
}
function show(v) { return v < 10 ? sprintf("%.2f", v) : sprintf("%.0f", v) }
# The median of a side with its unit; of "A / B" their ratio.
function quote(name, side, a, b, key) {
	if (split(name, side, " / ") == 2 && side[2] ~ / @ /) {
		a = figure(side[1], 1)
		b = figure(side[2], 1)
		return a != "" && b > 0 ? "x " sprintf("%.2f", a / b) : "(no figure)"
	}
	a = figure(name, 1)
	key = name
	sub(/ @ /, "\t", key)
	return a != "" ? show(a) " " unit[key] : "(no figure)"
}
# TEXT with the figures that it names in braces.
function filled(text, out, from, to) {
	while ((from = index(text, "{")) > 0 && (to = index(text, "}")) > from) {
		out = out substr(text, 1, from - 1) quote(substr(text, from + 1, to - from - 1))
		text = substr(text, to + 1)
	}
	return out text
}
BEGIN { FS = "\t" }
FILENAME == ARGV[1] {
	if ($0 !~ /^#/ && NF == 4)
		claim[++n] = $0
	next
}
FILENAME == ARGV[2] {
	if ($0 !~ /^#/ && NF == 2)
		bound[$1] = $2
	next
}
{
	values[$1 "\t" $2] = values[$1 "\t" $2] " " $3
	unit[$1 "\t" $2] = $4
}
END {
	print "| to be reached | limit | figure | |"
	print "|---|---|---|---|"
	for (i = 1; i <= n; i++) {
		split(claim[i], c, "\t")
		split(c[4], limit, " ")
		more = limit[1] == ">="
		f = figure(c[2], more)
		b = c[3] == "-" ? 1 : figure(c[3], more)
		said = "-"
		verdict = "no figure"
		if (f != "" && b != "" && b > 0) {
			v = f / b
			ok = more ? v >= limit[2] : v <= limit[2]
			verdict = ok ? "reached" : "**not reached**"
			key = c[2]
			sub(/ @ /, "\t", key)
			said = c[3] == "-" ? show(v) " " unit[key] : "x " sprintf("%.2f", v)
			if (c[3] != "-")
				said = said " (" show(f) " / " show(b) " " unit[key] ")"
			reached += ok
			known++
		}
		if (verdict != "reached")
			missed[++n_missed] = c[1]
		printf "| %s | %s | %s | %s |\n", c[1], c[4], said, verdict
	}
	printf "\n%d of %d reached; %d without a figure.\n", reached, n, n - known
	for (i = 1; i <= n; i++) {
		split(claim[i], c, "\t")
		is_claim[c[1]]
	}
	for (i in bound)
		if (!(i in is_claim))
			print "bounds: this is no claim: " i >"/dev/stderr"
	if (n_missed > 0)
		print "\n### What bounds the others\n"
	for (i = 1; i <= n_missed; i++)
		printf "- *%s*: %s\n", missed[i], \
		    missed[i] in bound ? filled(bound[missed[i]]) : "nothing is known."
}
