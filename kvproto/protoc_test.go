package kvproto

import (
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// protoc runs protoc with keyvalue.proto. Mode is --encode or --decode.
func protoc(mode, in string) (out string, err error) {
	cmd := exec.Command("protoc", mode+"=KeyValueMessage", "keyvalue.proto")
	cmd.Stdin = strings.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	b, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("protoc %s: %w: %s", mode, err, &stderr)
	}
	return string(b), err
}

// needProtoc skips the test where protoc is not installed.
func needProtoc(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("protoc"); err != nil {
		t.Skip("protoc is not installed (Debian: protobuf-compiler, Homebrew: protobuf): no cross-check with it")
	}
	if _, err := protoc("--encode", ""); err != nil {
		t.Fatalf("protoc does not work: %v", err)
	}
}

// text returns m in the protobuf text format, every byte escaped.
func text(m Message) string {
	octal := func(s []byte) string {
		var b strings.Builder
		for _, c := range s {
			fmt.Fprintf(&b, `\%03o`, c)
		}
		return b.String()
	}
	return fmt.Sprintf("key: \"%s\"\nvalue: \"%s\"\nkind: %d\nstatus: %d\n", octal(m.Key), octal(m.Value), m.Kind, m.Status)
}

// A known field in protoc's output. Unknown ones have numbers for names, and
// lines within groups are indented.
var knownField = regexp.MustCompile(`(?m)^(key|value|kind|status):.*\n`)

// Our bytes are protoc's bytes, and protoc's bytes are our message.
func TestProtocEncode(t *testing.T) {
	needProtoc(t)
	for _, tt := range messages {
		t.Run(tt.name, func(t *testing.T) {
			want, err := protoc("--encode", text(tt.m))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, payload(&tt.m)); diff != "" {
				t.Errorf("Append (-protoc +ours):\n%s", diff)
			}
			m, _, err := Parse(frame(want))
			if err != nil || !equal(m, tt.m) {
				t.Errorf("Parse of protoc's bytes: %v (-want +got):\n%s", err, cmp.Diff(tt.m, m))
			}
		})
	}
}

// protoc accepts and refuses the same payloads, but for those marked in the
// table. It drops the bits above the 32 of a tag and the 64 of a varint, which
// are errors to us, and refuses a length of more than five bytes. Other versions
// of protoc may differ, and so the marked payloads are left out.
func TestProtocWire(t *testing.T) {
	needProtoc(t)
	for _, tt := range wireCases {
		if tt.protoc != "" {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			if tt.err == nil {
				checkProtoc(t, tt.payload)
				return
			}
			if out, err := protoc("--decode", tt.payload); err == nil {
				t.Errorf("we say: %v; protoc decodes it:\n%s", tt.err, out)
			}
		})
	}
}

// checkProtoc checks that protoc decodes the payload to the same message. It
// compares canonical bytes: protoc's output goes through protoc again.
func checkProtoc(t *testing.T, payload string) {
	t.Helper()
	m, _, err := Parse(frame(payload))
	if err != nil {
		t.Fatal(err)
	}
	out, err := protoc("--decode", payload)
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Join(knownField.FindAllString(out, -1), "")
	want, err := protoc("--encode", known)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(frame(want)), string(Append(nil, &m))); diff != "" {
		t.Errorf("protoc decodes it to\n%s(-protoc +ours):\n%s", known, diff)
	}
}
