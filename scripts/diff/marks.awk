# Reads what git says of the words (side=0), the words (side=1, side=2) and the rows
# (side=3) of rows.awk. Prints each row with two more fields, for the left and the
# right line: the words that differ, as in "2,5-7"; "." if none does; "-" if the line
# differs as a whole.

function hunk(range, side,    part, i) {
	if (split(substr(range, 2), part, ",") == 1) part[2] = 1
	for (i = 0; i < part[2]; i++) changed[side, part[1] + i] = 1
}

# A blank between two words that differ goes with them.
function join_blanks(side,    i) {
	for (i = 2; i < count[side, FNR]; i++)
		if (word[side, FNR, i] ~ /^[ \t]+$/ && mark[side, FNR, i - 1] && mark[side, FNR, i + 1])
			mark[side, FNR, i] = 1
}

function list(side,    i, j, text) {
	for (i = 1; i <= count[side, FNR]; i++) {
		if (!mark[side, FNR, i]) continue
		for (j = i; mark[side, FNR, j + 1]; j++) {}
		text = text (text == "" ? "" : ",") i (j > i ? "-" j : "")
		i = j
	}
	return text == "" ? "." : text
}

side == 0 && /^@@/ { hunk($2, 1); hunk($3, 2) }

(side == 1 || side == 2) && /^\001/ { row = substr($0, 2) + 0; next }

side == 1 || side == 2 {
	i = ++count[side, row]
	word[side, row, i] = $0
	mark[side, row, i] = changed[side, FNR]
	if ($0 ~ /^[ \t]+$/) next
	size[side, row] += length($0)
	if (!changed[side, FNR]) same[row] += length($0) / 2
}

# Two lines that have little in common are not variants of one.
side == 3 {
	larger = size[1, FNR] > size[2, FNR] ? size[1, FNR] : size[2, FNR]
	if (same[FNR] * 5 < larger * 2 || larger == 0) {
		print $1, $2, "-", "-"
		next
	}
	join_blanks(1)
	join_blanks(2)
	print $1, $2, list(1), list(2)
}
