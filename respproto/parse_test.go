package respproto

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"
	"weak"

	"github.com/google/go-cmp/cmp"
)

// An outcome is what a stream of bytes meant to a session.
type outcome struct {
	Requests [][]string // without the empty ones
	Err      string
	Left     int // bytes of a request that is not complete; 0 after an error
}

func requests(r ...[]string) outcome { return outcome{Requests: r} }

func words(w ...string) []string { return w }

// drive gives the pieces to a new session, as a server would that moves what is
// left over to a new buffer before each read. Old buffers are overwritten, and
// behind the end of each buffer lies what would end any line.
func drive(t testing.TB, pieces ...[]byte) outcome {
	t.Helper()
	var got outcome
	s := NewSession()
	defer s.Close()
	var left []byte
	end, least := 0, 0 // offsets in the stream: behind the last request, and of the next end at the earliest
	for _, piece := range pieces {
		whole := slices.Concat(left, piece, []byte("\r\n\r\n\r\n\r\n"))
		in := whole[:len(left)+len(piece)]
		fill(left, '!')
		for {
			args, n, err := s.Parse(in, nil)
			checkParse(t, in, args, n, err)
			if err != nil {
				got.Err, got.Left = err.Error(), 0
				return got
			}
			if n <= 0 {
				least = end + len(in) + max(1, -n)
				break
			}
			if end += n; end < least {
				t.Fatalf("Parse wanted more up to byte %d, and finds an end at %d: %.80q", least, end, pieces)
			}
			if len(args) > 0 {
				got.Requests = append(got.Requests, texts(args))
			}
			fill(in[:n], '!')
			in = in[n:]
		}
		left, got.Left = in, len(in)
	}
	return got
}

// TestLack checks what Parse says of how much an unfinished request lacks.
func TestLack(t *testing.T) {
	got := map[string]int{}
	want := map[string]int{
		"": 0, "PING": 0, "*2": 0, "*2\r\n": 0, "*1\r\n$3": 0,
		"*1\r\n$0\r\n": -2, "*2\r\n$3\r\nGE": -3, "*2\r\n$3\r\nGET\r": -1, "*2\r\n$3\r\nGET\r\n": 0,
		"*2\r\n$3\r\nGET\r\n$10\r\nk": -11, "*1\r\n$536870912\r\n": -MaxBulk - 2,
	}
	for in := range want {
		_, got[in], _ = NewSession().Parse([]byte(in), nil)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("n (-want +got):\n%s", diff)
	}
}

// checkParse checks what holds for the results of every call of Parse.
func checkParse(t testing.TB, in []byte, args [][]byte, n int, err error) {
	t.Helper()
	if n > len(in) {
		t.Fatalf("Parse(%d bytes) = length %d", len(in), n)
	}
	if (n <= 0 || err != nil) && (len(args) > 0 || n != 0 && err != nil) {
		t.Fatalf("Parse(%.80q) = %.80q, %d, %v", in, args, n, err)
	}
	for i, a := range args {
		if a == nil { // a dictionary may take nil for a missing value
			t.Fatalf("Parse(%.80q): argument %d is nil", in, i)
		}
		if from, inside := offset(in, a); inside && (from+len(a) > n || cap(a) != len(a)) {
			t.Fatalf("Parse(%.80q): argument %d is in[%d:%d:%d] of a request of %d bytes", in, i, from, from+len(a), from+cap(a), n)
		}
	}
}

// offset returns where in b's array a begins, if it is in there.
func offset(b, a []byte) (from int, inside bool) {
	if cap(b) == 0 || cap(a) == 0 && len(a) == 0 && unsafe.SliceData(a) == nil {
		return 0, false
	}
	d := int(uintptr(unsafe.Pointer(unsafe.SliceData(a))) - uintptr(unsafe.Pointer(unsafe.SliceData(b))))
	return d, 0 <= d && d < cap(b)
}

func fill(b []byte, c byte) {
	for i := range b {
		b[i] = c
	}
}

func texts(args [][]byte) []string {
	var list []string
	for _, a := range args {
		list = append(list, string(a))
	}
	return list
}

// pieces cuts in into pieces of size bytes.
func pieces(in []byte, size int) [][]byte { return slices.Collect(slices.Chunk(in, size)) }

// manyArgs is a request of n empty arguments.
func manyArgs(n int) []byte {
	in := fmt.Appendf(nil, "*%d\r\n", n)
	return append(in, bytes.Repeat([]byte("$0\r\n\r\n"), n)...)
}

var parseTests = []struct {
	name, in string
	want     outcome
}{
	{"nothing", "", outcome{}},
	{"array", "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", requests(words("GET", "key"))},
	{"empty arguments", "*3\r\n$0\r\n\r\n$1\r\na\r\n$0\r\n\r\n", requests(words("", "a", ""))},
	{"binary arguments", "*2\r\n$4\r\n\r\n\x00\xff\r\n$6\r\n*1\r\n$0\r\n", requests(words("\r\n\x00\xff", "*1\r\n$0"))},
	{"long argument", "*1\r\n$300\r\n" + strings.Repeat("\n", 300) + "\r\n", requests(words(strings.Repeat("\n", 300)))},
	{"many arguments", string(manyArgs(100)), requests(make([]string, 100))},
	{"pipelined", "*1\r\n$4\r\nPING\r\nPING\r\n*1\r\n$4\r\nping\r\n", requests(words("PING"), words("PING"), words("ping"))},
	{"unfinished behind a request", "PING\r\n*1\r\n$4\r\nPI", outcome{Requests: [][]string{{"PING"}}, Left: 10}},

	// Empty requests.
	{"empty line", "\r\n\nPING\r\n", requests(words("PING"))},
	{"spaces", " \r\n \t \nPING\r\n", requests(words("PING"))},
	{"*0", "*0\r\n*1\r\n$4\r\nPING\r\n", requests(words("PING"))},
	{"*-1", "*-1\r\nPING\r\n", requests(words("PING"))},
	{"*-10", "*-10\r\nPING\r\n", requests(words("PING"))},
	{"least count", "*-9223372036854775808\r\nPING\r\n", requests(words("PING"))},

	// Lines and words.
	{"LF only", "PING\n", requests(words("PING"))},
	{"leading spaces", "  PING\r\n", requests(words("PING"))},
	{"trailing spaces", "PING a  \r\n", requests(words("PING", "a"))},
	{"tabs between words", "\t\vSET\tk \f v\r\n", requests(words("SET", "k", "v"))},
	{"VT and FF in a word", "SET a\vb\fc\r\n", requests(words("SET", "a\vb\fc"))},
	{"CR between words", "GET\rk\r\r\n", requests(words("GET", "k"))},
	{"NUL and bytes beyond ASCII", "GET a\x00\xc3\xa9\xff\r\n", requests(words("GET", "a\x00\xc3\xa9\xff"))},
	{"star inside", "a*1\r\n", requests(words("a*1"))},
	{"dollar first", "$4\r\n", requests(words("$4"))},

	// Quotes.
	{"double quotes", `SET "a b" "c'd"` + "\r\n", requests(words("SET", "a b", "c'd"))},
	{"single quotes", `SET 'a b' 'c"d'` + "\r\n", requests(words("SET", "a b", `c"d`))},
	{"empty quotes", `"" '' ""` + "\r\n", requests(words("", "", ""))},
	{"escapes", `"\x41\n\r\t\b\a\\\"\q\x4\xzz\xfF\xAb\x00"` + "\r\n", requests(words("A\n\r\t\b\a\\\"qx4xzz\xff\xab\x00"))},
	{"half an escape", `"\xz1\x1z\x" "\x1"` + "\r\n", requests(words("xz1x1zx", "x1"))},
	{"no escapes in single quotes", `'a\'b\n\x41\\ '` + "\r\n", requests(words(`a'b\n\x41\\ `))},
	{"no escapes without quotes", `a\nb \x41` + "\r\n", requests(words(`a\nb`, `\x41`))},
	{"quote inside a word", `ab"c d"` + " x\r\n", requests(words("abc d", "x"))},
	{"two words, both opening inside", `a'b' c"d"` + "\r\n", requests(words("ab", "cd"))},
	{"VT behind a quote", "\"a\"\vb\r\n", requests(words("a", "b"))},
	{"quotes, then CR LF", "\"a\"\r\n", requests(words("a"))},
	{"quotes, then LF", "'a'\n", requests(words("a"))},
	{"CR in quotes", "\"a\rb\"\r\n", requests(words("a\rb"))},

	// What redis-server does not check.
	{"payload not ended by CR LF", "*2\r\n$1\r\naXX$1\r\nb\n\r", requests(words("a", "b"))},
	{"header ended by CR and anything", "*1\rX$1\rXaXX", requests(words("a"))},

	// Waiting.
	{"count ended by LF", "*1\n$4\nPING\n", outcome{Left: 11}},
	{"length ended by LF", "*1\r\n$4\nPING\n", outcome{Left: 12}},
	{"largest length", "*1\r\n$536870912\r\nabc", outcome{Left: 19}},
	{"largest count", "*1048576\r\n$1\r\na", outcome{Left: 15}},
	{"count below a million", "*1000000\r\n", outcome{Left: 10}},

	// Errors.
	{"no count", "*\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"*abc", "*abc\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"*01", "*01\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"*+1", "*+1\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"* 1", "* 1\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"*1 ", "*1 \r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"*-0", "*-0\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"*-", "*-\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"*00", "*00\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"*1.0", "*1.0\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"count with NUL", "*1\x00\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"too many arguments", "*1048577\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"count of 31 bits", "*2147483647\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"count of 63 bits", "*9223372036854775807\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"count of 64 bits", "*9223372036854775808\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"count that wraps to 1", "*18446744073709551617\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"negative count that wraps", "*-9223372036854775809\r\n", outcome{Err: "Protocol error: invalid multibulk length"}},
	{"no length", "*1\r\n$\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"$-1", "*1\r\n$-1\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"$04", "*1\r\n$04\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"$+4", "*1\r\n$+4\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"$-0", "*1\r\n$-0\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"$blabla", "*1\r\n$blabla\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"too long", "*1\r\n$536870913\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"length of 63 bits", "*1\r\n$9223372036854775807\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"length that wraps to 4", "*1\r\n$18446744073709551620\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"least length", "*1\r\n$-9223372036854775808\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"second length", "*2\r\n$1\r\na\r\n$-1\r\n", outcome{Err: "Protocol error: invalid bulk length"}},
	{"no dollar", "*1\r\nfoo\r\n", outcome{Err: "Protocol error: expected '$', got 'f'"}},
	{"no dollar in the second argument", "*2\r\n$1\r\na\r\nb\r\n", outcome{Err: "Protocol error: expected '$', got 'b'"}},
	{"array in an array", "*1\r\n*1\r\n", outcome{Err: "Protocol error: expected '$', got '*'"}},
	{"empty header", "*1\r\n\r\n", outcome{Err: "Protocol error: expected '$', got '\r'"}},
	{"byte beyond ASCII for a dollar", "*1\r\n\xff\r\n", outcome{Err: "Protocol error: expected '$', got '\xff'"}},
	{"open double quote", "\"a b\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"open single quote", "'a b\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"text behind a double quote", "\"a\"b\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"text behind a single quote", "'a'b\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"quote behind a quote", "\"a\"\"b\"\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"open after a word", "SET \"\r\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"backslash at the end", "\"a\\\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"half an escape at the end", "\"\\x4\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"escaped closing quotes", "\"a\\\"\n'a\\'\n", outcome{Err: "Protocol error: unbalanced quotes in request"}},
	{"error behind requests", "PING\r\n*1\r\n$1\r\na\r\n*x\r\nPING\r\n", outcome{Requests: [][]string{{"PING"}, {"a"}}, Err: "Protocol error: invalid multibulk length"}},
}

// Every table entry, whole, cut in two at every byte, and byte by byte.
func TestParse(t *testing.T) {
	for _, tt := range parseTests {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.in)
			for i := range len(in) + 1 {
				if diff := cmp.Diff(tt.want, drive(t, in[:i], in[i:])); diff != "" {
					t.Errorf("%q, %q (-want +got):\n%s", in[:i], in[i:], diff)
				}
			}
			if diff := cmp.Diff(tt.want, drive(t, pieces(in, 1)...)); diff != "" {
				t.Errorf("%q byte by byte (-want +got):\n%s", in, diff)
			}
		})
	}
}

// All entries without an error in one stream, in pieces of every small size.
func TestParsePipelined(t *testing.T) {
	var in []byte
	var want outcome
	for _, tt := range parseTests {
		if tt.want.Err == "" && tt.want.Left == 0 {
			in = append(in, tt.in...)
			want.Requests = append(want.Requests, tt.want.Requests...)
		}
	}
	for size := 1; size <= len(in); size++ {
		if diff := cmp.Diff(want, drive(t, pieces(in, size)...)); diff != "" {
			t.Fatalf("pieces of %d bytes (-want +got):\n%s", size, diff)
		}
	}
}

// A line of 64 KiB passes and a longer one does not, whether it comes whole or in
// pieces, with its end or without.
func TestParseLongLines(t *testing.T) {
	type test struct {
		name, before, line, end string
		want                    outcome
	}
	var tests []test
	add := func(name, before, mark, end string, n int, want outcome) {
		line := mark + strings.Repeat("1", n-len(mark))
		tests = append(tests, test{fmt.Sprintf("%s/%d+%d", name, n-MaxLine, len(end)), before, line, end, want})
	}
	for _, n := range []int{MaxLine - 1, MaxLine, MaxLine + 1, MaxLine + 2, 2 * MaxLine} {
		inline := requests(words(strings.Repeat("1", n)))
		count, length := outcome{Err: ErrMultibulkLength.Error()}, outcome{Err: ErrBulkLength.Error()}
		openInline, openCount, openLength := outcome{Left: n}, outcome{Left: n}, outcome{Left: n + len("*1\r\n")}
		if n > MaxLine {
			inline = outcome{Err: ErrInlineLine.Error()}
			count, length = outcome{Err: ErrMultibulkLine.Error()}, outcome{Err: ErrBulkLine.Error()}
			openInline, openCount, openLength = inline, count, length
		}
		add("inline", "", "", "", n, openInline)
		add("inline", "", "", "\n", n, inline)
		add("count", "", "*", "", n, openCount)
		add("count", "", "*", "\r\n", n, count)
		add("length", "*1\r\n", "$", "", n, openLength)
		add("length", "*1\r\n", "$", "\r\n", n, length)
	}
	for _, tt := range tests {
		in := []byte(tt.before + tt.line + tt.end)
		for _, size := range []int{len(in), MaxLine, MaxLine + 1, 4096, 4099} {
			if diff := cmp.Diff(tt.want, drive(t, pieces(in, size)...)); diff != "" {
				t.Errorf("%s in pieces of %d bytes (-want +got):\n%.300s", tt.name, size, diff)
			}
		}
		if diff := cmp.Diff(tt.want, drip(in)); diff != "" {
			t.Errorf("%s byte by byte (-want +got):\n%.300s", tt.name, diff)
		}
	}
}

// drip gives one request to a session byte by byte, in one buffer.
func drip(in []byte) outcome {
	s := NewSession()
	defer s.Close()
	for i := range in {
		args, n, err := s.Parse(in[:i+1:i+1], nil)
		if err != nil {
			return outcome{Err: err.Error()}
		}
		if n > 0 {
			return outcome{Requests: [][]string{texts(args)}, Left: len(in) - n}
		}
	}
	return outcome{Left: len(in)}
}

func TestParseLargest(t *testing.T) {
	if testing.Short() {
		t.Skip("needs 512 MiB of address space")
	}
	head := fmt.Sprintf("*1\r\n$%d\r\n", MaxBulk)
	in := make([]byte, len(head)+MaxBulk+2) // never written to: not in memory
	copy(in, head)
	s := NewSession()
	if args, n, err := s.Parse(in[:len(in)-1], nil); n != -1 || err != nil {
		t.Errorf("all but one byte: %d arguments, length %d, %v; want to need more", len(args), n, err)
	}
	args, n, err := s.Parse(in, nil)
	if len(args) != 1 || len(args[0]) != MaxBulk || n != len(in) || err != nil {
		t.Errorf("%d arguments, length %d, %v; want one argument of %d bytes", len(args), n, err, MaxBulk)
	}
}

func TestParseMaxArgs(t *testing.T) {
	in := manyArgs(MaxArgs)
	s := NewSession()
	if _, n, err := s.Parse(in[:len(in)-1], nil); n != -1 || err != nil {
		t.Fatalf("all but one byte: length %d, %v; want to need more", n, err)
	}
	args, n, err := s.Parse(in, nil)
	if len(args) != MaxArgs || n != len(in) || err != nil {
		t.Errorf("%d arguments, length %d, %v; want %d, %d", len(args), n, err, MaxArgs, len(in))
	}
	checkParse(t, in, args, n, err)
}

// A parser that went back over bytes which it has had would stumble here: each
// call sees all earlier bytes replaced by ends of lines. The exceptions: the first
// byte, which says what kind of request it is, a header in the call that completes
// it, and the call that completes the request.
func TestParseDoesNotStartOver(t *testing.T) {
	parts := []string{ // by turns a header and a payload
		"*4\r\n", "", "$3\r\n", "SET\r\n", "$0\r\n", "\r\n", "$26\r\n", "abcdefghijklmnopqrstuvwxyz\r\n", "$2\r\n", "12\r\n",
	}
	in := []byte(strings.Join(parts, ""))
	s := NewSession()
	start := 0
	for i, part := range parts {
		header := i%2 == 0
		for shown := 1; shown <= len(part); shown++ {
			end := start + shown
			view := slices.Clone(in[:end])
			switch {
			case end == len(in):
			case header && shown == len(part):
				fill(view[:start], '\r')
			default:
				fill(view[:end-1], '\r')
			}
			view[0] = '*'
			args, n, err := s.Parse(view, nil)
			if end < len(in) {
				if n > 0 || end-n > len(in) || err != nil {
					t.Fatalf("Parse(%q) = %q, %d, %v; want to need more", view, args, n, err)
				}
				continue
			}
			var lens []int
			for _, a := range args {
				lens = append(lens, len(a))
			}
			if diff := cmp.Diff([]int{3, 0, 26, 2}, lens); diff != "" || n != len(in) || err != nil {
				t.Errorf("length %d, %v; lengths of the arguments (-want +got):\n%s", n, err, diff)
			}
		}
		start += len(part)
	}

	line := []byte("SET key value")
	for i := range line {
		view := slices.Clone(line[:i+1])
		fill(view[:i], '\n')
		if args, n, err := s.Parse(view, nil); n != 0 || err != nil {
			t.Fatalf("Parse(%q) = %q, %d, %v; want to need more", view, args, n, err)
		}
	}
	args, _, err := s.Parse(append(line, '\n'), nil)
	if diff := cmp.Diff([]string{"SET", "key", "value"}, texts(args)); diff != "" || err != nil {
		t.Errorf("inline: %v (-want +got):\n%s", err, diff)
	}
}

// A header allocates nothing, whatever it claims.
func TestParseClaimsAllocateNothing(t *testing.T) {
	for _, in := range []string{"*1048576\r\n", "*1048577\r\n", "*1\r\n$536870912\r\n", "*1\r\n$536870913\r\n", "*2147483647\r\n", "*1048576\r\n$536870912\r\n"} {
		var s Session
		b := []byte(in)
		if n := testing.AllocsPerRun(100, func() {
			s = Session{}
			if _, n, _ := s.Parse(b, nil); n > 0 {
				t.Fatalf("Parse(%q) = length %d, want to need more", b, n)
			}
		}); n != 0 {
			t.Errorf("Parse(%q): %v allocations, want 0", in, n)
		}
	}
}

// The memory of an unfinished request follows the arguments received.
func TestParseMemoryFollowsInput(t *testing.T) {
	in := manyArgs(MaxArgs)[:len("*1048576\r\n")+6*1000]
	s := NewSession()
	if got := allocated(func() { s.Parse(in, nil) }); got > 200<<10 {
		t.Errorf("1,000 arguments of a claimed million allocated %d bytes", got)
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A session keeps nothing of a wide request.
func TestParseGivesMemoryBack(t *testing.T) {
	inline := append(bytes.Repeat([]byte("a "), MaxLine/2), '\n')
	for name, in := range map[string][]byte{"array": manyArgs(1_000_000), "inline": inline} {
		for _, size := range []int{len(in), 1 << 15} {
			before := inUse()
			s := NewSession()
			for _, end := range []int{size, len(in)} {
				if args, n, _ := s.Parse(in[:min(end, len(in))], nil); n > 0 && len(args) < 30_000 {
					t.Fatalf("%s: %d arguments", name, len(args))
				}
			}
			s.Parse(nil, nil)
			if after := inUse(); after > before+32<<10 {
				t.Errorf("%s: the session keeps %d bytes", name, after-before)
			}
			runtime.KeepAlive(s)
		}
	}
}

// inUse returns how many bytes of the heap are in use.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A session never refers to its input: not once a request has been answered, and not
// while one is incomplete.
func TestParseForgetsInput(t *testing.T) {
	array := string(AppendCommand(nil, slices.Repeat([]string{"a"}, 100)...))
	for name, in := range map[string]string{
		"array":      array,
		"inline":     strings.Repeat("aaaa ", 100) + "\n",
		"incomplete": array[:len(array)-1],
		"wrong":      "*3\r\n$1\r\na\r\n$1\r\na\r\n!",
	} {
		s := NewSession()
		buffer := parseInNewBuffer(s, in)
		runtime.GC()
		if buffer.Value() != nil {
			t.Errorf("%s: the session still refers to its input", name)
		}
		runtime.KeepAlive(s)
	}
}

//go:noinline
func parseInNewBuffer(s *Session, in string) weak.Pointer[byte] {
	b := make([]byte, 64<<10)
	n := copy(b, in)
	s.Parse(b[:n], nil)
	return weak.Make(&b[0])
}

// Arguments stay valid while output is appended, and appending to one of them
// leaves its neighbours alone.
func TestParseArgumentsAreCapped(t *testing.T) {
	for _, in := range []string{"*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", "a b c\r\n", "'a' b \"c\"\n"} {
		args, _, err := NewSession().Parse([]byte(in), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = append(args[0], "XXXXXXXXXXXXXXXX"...)
		_ = append(args[1], "XXXXXXXXXXXXXXXX"...)
		if diff := cmp.Diff([]string{"a", "b", "c"}, texts(args)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", in, diff)
		}
	}
}
