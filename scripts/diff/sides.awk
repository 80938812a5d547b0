# Prints two files side by side: the changes (side=0, of marks.awk) and the files
# (side=1, side=2). width is the terminal's; color is 1 or 0.

function expand(text,    i, at, out) {
	while ((i = index(text, "\t")) > 0) {
		out = out substr(text, 1, i - 1)
		for (at = length(out) % 4; at < 4; at++) out = out " "
		text = substr(text, i + 1)
	}
	return out text
}

# expand_marks returns a 1 for each column of text that is in a marked word, else a 0.
function expand_marks(text, marks,    range, pair, i, j, n, on, word, bits, out) {
	n = split(marks, range, ",")
	for (i = 1; i <= n; i++) {
		if (split(range[i], pair, "-") == 1) pair[2] = pair[1]
		for (j = pair[1]; j <= pair[2]; j++) on[j] = 1
	}
	for (i = 1; match(text, /^([A-Za-z0-9_]+|[ \t]+|[^ -~\t]+|.)/); i++) {
		word = expand(substr(text, 1, RLENGTH))
		bits = (i in on) ? ones : zeros
		out = out substr(bits, 1, length(word))
		text = substr(text, RLENGTH + 1)
	}
	return out
}

function repeat(s, n,    out) {
	while (n-- > 0) out = out s
	return out
}

function paint(code, text) {
	return color && text != "" ? "\033[" code "m" text "\033[0m" : text
}

# paint_words paints text, and the columns that bits marks in reverse.
function paint_words(code, text, bits,    n, out) {
	while (text != "") {
		n = match(bits, /^1+/) || match(bits, /^0+/) ? RLENGTH : length(text)
		out = out paint(substr(bits, 1, 1) == "1" ? code ";7" : code, substr(text, 1, n))
		text = substr(text, n + 1)
		bits = substr(bits, n + 1)
	}
	return out
}

# wrap cuts a line into pieces of the column's width, and returns their number. The
# later ones are indented further than the first.
function wrap(side, text, marks,    bits, n, cut, indent, room) {
	bits = expand_marks(text, marks)
	text = expand(text)
	match(text, /^ */)
	indent = repeat(" ", RLENGTH + 4 < column / 2 ? RLENGTH + 4 : 4)
	for (n = 1; ; n++) {
		cut = length(text)
		room = column - (n > 1 ? length(indent) : 0)
		if (cut > room) {
			for (cut = room; cut > room / 2 && substr(text, cut, 1) != " "; cut--) {}
			if (cut <= room / 2) cut = room
		}
		piece[side, n] = (n > 1 ? indent : "") substr(text, 1, cut)
		piece_bits[side, n] = (n > 1 ? substr(zeros, 1, length(indent)) : "") substr(bits, 1, cut)
		text = substr(text, cut + 1)
		bits = substr(bits, cut + 1)
		if (text == "") return n
	}
}

# half returns piece i of a side's line, with the line's number before the first.
function half(side, line, i, n, code,    number, text) {
	number = line != "-" && i == 1 ? line : ""
	text = i <= n ? piece[side, i] : ""
	if (side == 1) text = text repeat(" ", column - length(text))
	number = paint("2", repeat(" ", 4 - length(number)) number)
	return number " " (code == "" ? text : paint_words(code, text, i <= n ? piece_bits[side, i] : ""))
}

function print_row(row,    i, n1, n2, text) {
	n1 = left[row] == "-" ? 0 : wrap(1, line[1, left[row]], left_marks[row])
	n2 = right[row] == "-" ? 0 : wrap(2, line[2, right[row]], right_marks[row])
	for (i = 1; i <= n1 || i <= n2; i++) {
		text = half(1, left[row], i, n1, sign[row] == " " ? "" : "31") " " sign[row] " "
		text = text half(2, right[row], i, n2, sign[row] == " " ? "" : "32")
		if (!color) sub(/ +$/, "", text)
		print text
	}
}

# title returns the function that line n is in, or is the comment of.
function title(side, n,    i, text) {
	for (i = n; line[side, i] ~ /^\/\//; i++) {}
	while (i > 0 && line[side, i] !~ /^func /) {
		if (i < n && line[side, i] ~ /^[})]/) return ""
		i = i > n ? n : i - 1
	}
	text = line[side, i]
	sub(/ *\{$/, "", text)
	return text
}

# rule prints a line over a stretch of rows: the function of its first change.
function rule(row,    text) {
	while (sign[row] == " ") row++
	text = sign[row] == "<" ? title(1, left[row]) : title(2, right[row])
	text = "-----" (text == "" ? "" : " " text " ")
	print paint("36", substr(text repeat("-", width), 1, 2 * column + 13))
}

BEGIN {
	column = int((width - 13) / 2)
	zeros = repeat("0", 1000)
	ones = repeat("1", 1000)
}

side == 0 { change[++changes] = $0 }
side > 0 { line[side, FNR] = $0; lines[side] = FNR }

END {
	l = r = next_change = 1
	while (l <= lines[1] || r <= lines[2]) {
		split(change[next_change], field, " ")
		rows++
		if (field[1] == l || field[2] == r) {
			next_change++
			sign[rows] = field[1] == "-" ? ">" : field[2] == "-" ? "<" : "|"
			for (i = rows - 3; i <= rows + 3; i++) shown[i] = 1
		} else {
			field[1] = l
			field[2] = r
			sign[rows] = " "
		}
		left[rows] = field[1]
		right[rows] = field[2]
		left_marks[rows] = field[3]
		right_marks[rows] = field[4]
		if (field[1] != "-") l++
		if (field[2] != "-") r++
	}
	for (i = 1; i <= rows; i++) {
		if (!shown[i]) continue
		if (!shown[i - 1]) rule(i)
		print_row(i)
	}
}
