# Reads notes.txt and prints one line per step, with tabs between its parts: left,
# right, the sentence, and the paragraphs.

function print_step() {
	print_paragraph()
	if (step != "") print step
	step = ""
}

function print_paragraph() {
	if (step != "" && paragraph != "") step = step "\t" paragraph
	paragraph = ""
}

/^#/ { next }
/^[a-z]+ -> [a-z]+$/ { print_step(); step = $1 "\t" $3; next }
/^[ \t]*$/ { print_paragraph(); next }
{ paragraph = paragraph (paragraph == "" ? "" : " ") $0 }
END { print_step() }
