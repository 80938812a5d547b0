# Reads what git says of the words (side=0), the words (side=1, side=2) and the blocks
# (side=3) of words.awk. Prints the rows that differ: the numbers of the left and the
# right line, "-" where there is none; then the words of each that differ from those of
# the other, as in "2,5-7", "." if none does, "-" if the line differs as a whole.
#
# Within a block, git's pairs of equal words tell which lines to put in a row.

function hunk(range, side,    part, i) {
	if (split(substr(range, 2), part, ",") == 1) part[2] = 1
	for (i = 0; i < part[2]; i++) changed[side, part[1] + i] = 1
}

side == 0 && /^@@/ { hunk($2, 1); hunk($3, 2) }

# The lines of a block are counted from 1. Equal words come in the same order on both
# sides: the k-th of side 1 is the k-th of side 2.
side == 1 || side == 2 {
	if (/^\001/) {
		block = substr($0, 2)
		line = equal = 0
		next
	}
	if (/^\002/) {
		line++
		next
	}
	i = ++words[side, block, line]
	word[side, block, line, i] = $0
	blank = /^[ \t]+$/
	if (!blank) size[side, block, line] += length($0)
	if (changed[side, FNR]) next
	equal++
	at[side, block, line, i] = equal
	if (side == 1) on_left[block, equal] = line
	if (side == 2) on_right[block, equal] = line
	if (side == 2 && !blank) common[block, on_left[block, equal], line] += length($0)
}

# alike tells whether two lines are variants of one: at least 2/5 is common.
function alike(l, r,    larger) {
	larger = size[1, FNR, l] > size[2, FNR, r] ? size[1, FNR, l] : size[2, FNR, r]
	return larger > 0 && common[FNR, l, r] * 5 >= larger * 2
}

# partner returns the right line, of those from r on, that has most in common with l.
function partner(l, r, count,    best) {
	for (; r <= count; r++)
		if (alike(l, r) && (!best || common[FNR, l, r] > common[FNR, l, best])) best = r
	return best + 0
}

# marks lists the words of a line that are not in the other. A blank between two goes
# with them.
function marks(side, mine, other,    n, i, j, k, mark, text) {
	n = words[side, FNR, mine]
	for (i = 1; i <= n; i++) {
		k = at[side, FNR, mine, i]
		mark[i] = !k || (side == 1 ? on_right[FNR, k] : on_left[FNR, k]) != other
	}
	for (i = 2; i < n; i++)
		if (word[side, FNR, mine, i] ~ /^[ \t]+$/ && mark[i - 1] && mark[i + 1]) mark[i] = 1
	for (i = 1; i <= n; i = j + 1) {
		for (j = i; j < n && mark[j + 1] == mark[i]; j++) {}
		if (mark[i]) text = text (text == "" ? "" : ",") i (j > i ? "-" j : "")
	}
	return text == "" ? "." : text
}

# rest prints the lines up to the next pair: those of both sides have nothing in common.
function rest(l, l_end, r, r_end) {
	while (l < l_end || r < r_end) {
		print (l < l_end ? $1 + l - 1 : "-"), (r < r_end ? $3 + r - 1 : "-"), "-", "-"
		l++
		r++
	}
}

side == 3 {
	lefts = $2 - $1 + 1
	rights = $4 - $3 + 1
	l0 = r0 = 1
	for (l = 1; l <= lefts; l++) {
		r = partner(l, r0, rights)
		if (!r) continue
		rest(l0, l, r0, r)
		print $1 + l - 1, $3 + r - 1, marks(1, l, r), marks(2, r, l)
		l0 = l + 1
		r0 = r + 1
	}
	rest(l0, lefts + 1, r0, rights + 1)
}
