#!/bin/bash
# Shows what changes from one flavor to another. Usage: see below, or diff.sh -h.

set -u
export LC_ALL=C

usage() {
	cat <<'END'
usage: diff.sh               list the reading order: the lines that change in each
                             step (diff -u A B | grep -c '^[+-]'), and what it teaches
       diff.sh A B           show flavors A and B side by side
       diff.sh -w A B        show them as a unified diff
       diff.sh -html FILE    write a page in which to read them all
Colour is for terminals only, and not if NO_COLOR is set. The width is the
terminal's or that of COLUMNS, else 160 columns; under 100, -w is used.
END
}

# fail and wrong end the script: something is amiss, or its arguments are.
fail() {
	echo "diff.sh: $1" >&2
	exit 1
}
wrong() {
	echo "diff.sh: $1; diff.sh -h shows the usage" >&2
	exit 2
}

# terminal is true if the output is one.
terminal() { [ -t 1 ]; }

# color is true if the output takes colours.
color() { terminal && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; }

width() {
	local size=${COLUMNS:-}
	if [ -z "$size" ] && terminal; then
		size=$(stty size </dev/tty 2>/dev/null)
		size=${size#* }
	fi
	case $size in
	'' | 0* | *[!0-9]*) size=160 ;;
	esac
	echo "$size"
}

# steps prints the steps of the reading order, one to a line: see notes.awk.
steps() { awk -f "$assets/notes.awk" "$assets/notes.txt"; }

# flavors prints the names of all flavors, in reading order.
flavors() {
	local left right
	steps | while IFS=$'\t' read -r left right _; do
		echo "$left"
		echo "$right"
	done | awk '!seen[$0]++'
}

# list prints the reading order.
list() {
	local left right sentence n last=''
	steps | while IFS=$'\t' read -r left right sentence _; do
		[ "$left" = "$last" ] || [ -z "$last" ] || echo
		last=$right
		n=$(diff -u "$left/main.go" "$right/main.go" | grep -c '^[+-]')
		printf '%-27s %3d lines\n' "$left -> $right" "$n"
		echo "$sentence" | fold -s -w 76 | sed 's/^/    /; s/ *$//'
	done
}

# changes prints the rows in which two files differ: see rows.awk. diff(1) compares
# the lines; then git the words of these, one to a line, block by block.
changes() {
	diff "$1" "$2" >"$tmp/lines"
	awk -v words1="$tmp/words1" -v words2="$tmp/words2" -f "$assets/words.awk" \
		side=0 "$tmp/lines" side=1 "$1" side=2 "$2" >"$tmp/blocks" || return
	git diff --no-index --no-ext-diff --no-color -U0 --anchored=$'\001' \
		"$tmp/words1" "$tmp/words2" >"$tmp/words"
	awk -f "$assets/rows.awk" side=0 "$tmp/words" \
		side=1 "$tmp/words1" side=2 "$tmp/words2" side=3 "$tmp/blocks"
}

side_by_side() {
	local paint=0
	color && paint=1
	changes "$1" "$2" >"$tmp/changes" || return
	awk -v width="$3" -v color="$paint" -f "$assets/sides.awk" \
		side=0 "$tmp/changes" side=1 "$1" side=2 "$2"
}

unified() {
	local paint=never
	color && paint=always
	git --no-pager -c core.attributesFile="$assets/attributes" diff --no-index \
		--no-ext-diff --color="$paint" --src-prefix=a/ --dst-prefix=b/ -U3 "$1" "$2"
}

# show shows two flavors. Both diff(1) and git exit with 1 if the files differ.
show() {
	local columns sentence
	columns=$(width)
	if [ "$style" = unified ]; then
		unified "$1/main.go" "$2/main.go"
	elif [ "$columns" -lt 100 ]; then
		echo "diff.sh: $columns columns are too few for two sides, hence -w" >&2
		unified "$1/main.go" "$2/main.go"
	else
		side_by_side "$1/main.go" "$2/main.go" "$columns"
	fi
	case $? in
	0 | 1 | 141) ;; # 141: whoever reads this, such as head, has seen enough
	*) return 1 ;;
	esac
}

# escape makes text fit for a page.
escape() { sed 's/&/\&amp;/g; s/</\&lt;/g'; }

# data prints what the page shows: the sources, the steps and the changes.
data() {
	local all a b
	all=$(flavors)
	for a in $all; do
		printf '<template data-flavor="%s">' "$a"
		escape <"$a/main.go"
		echo '</template>'
	done
	printf '<template data-steps>'
	steps | escape
	echo '</template>'
	for a in $all; do
		for b in $all; do
			[ "$b" = "$a" ] && break # b is before a in reading order
			printf '<template data-changes="%s %s">' "$b" "$a"
			changes "$b/main.go" "$a/main.go" || return
			echo '</template>'
		done
	done
}

page() {
	data >"$tmp/data" || return
	awk -v data="$tmp/data" '
		$0 != "<!-- data -->" { print; next }
		{ while ((getline line < data) > 0) print line }
	' "$assets/page.html" >"$tmp/page" || return
	cat "$tmp/page" >"$1"
}

# check ends the script if the arguments are not two flavors.
check() {
	local name all
	all=$(flavors | tr '\n' ' ')
	for name in "$@"; do
		case " $all" in
		*" $name "*) ;;
		*) wrong "no flavor \"$name\"; there are ${all% }" ;;
		esac
	done
	[ $# -eq 2 ] || wrong "want two flavors, not $#"
}

style=sides
file=''
names=()
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	-w) style=unified ;;
	-html)
		[ $# -ge 2 ] || wrong '-html wants a file'
		style=html
		file=$2
		shift
		;;
	-*) wrong "no flag $1" ;;
	*) names+=("${1%/}") ;;
	esac
	shift
done
case $file in
'' | /*) ;;
*) file=$PWD/$file ;;
esac

cd "$(dirname "$0")/.." || exit 1
assets=scripts/diff
for program in diff git; do
	command -v "$program" >/dev/null || fail "$program is not installed"
done
tmp=$(mktemp -d "${TMPDIR:-/tmp}/diff.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT

case $style-${#names[@]} in
html-0) page "$file" || fail "cannot write $file" ;;
html-*) wrong '-html shows all flavors: name none' ;;
sides-0) list ;;
*)
	check "${names[@]+"${names[@]}"}"
	show "${names[@]}" || fail "cannot show ${names[*]}"
	;;
esac
