# Reads what diff(1) says of two files (side=0), and the files (side=1, side=2).
# Prints the blocks of lines that differ: "left left_end right right_end". Writes the
# words of each block to the files words1 and words2, one to a line, after a line \001
# and the number of the block. A line \002 stands before the words of each line.

function words(text, file) {
	print "\002" > file
	while (match(text, /^([A-Za-z0-9_]+|[ \t]+|[^ -~\t]+|.)/)) {
		print substr(text, 1, RLENGTH) > file
		text = substr(text, RLENGTH + 1)
	}
}

function block(left, left_end, right, right_end) {
	print left, left_end, right, right_end
	printf "\001%d\n", ++blocks > words1
	printf "\001%d\n", blocks > words2
	while (left <= left_end) words(text1[left++], words1)
	while (right <= right_end) words(text2[right++], words2)
}

side == 0 && /^[0-9]/ { command[++commands] = $0 }
side == 1 { text1[FNR] = $0 }
side == 2 { text2[FNR] = $0 }

# A command is as in 5a6,7 or 5,6d4 or 5,6c5,7.
END {
	printf "" > words1
	printf "" > words2
	for (i = 1; i <= commands; i++) {
		match(command[i], /[acd]/)
		kind = substr(command[i], RSTART, 1)
		left_end = split(substr(command[i], 1, RSTART - 1), left, ",")
		right_end = split(substr(command[i], RSTART + 1), right, ",")
		if (kind == "a") block(left[1] + 1, left[1], right[1], right[right_end])
		if (kind == "d") block(left[1], left[left_end], right[1] + 1, right[1])
		if (kind == "c") block(left[1], left[left_end], right[1], right[right_end])
	}
}
