package kvproto

// AppendValue appends the answer to a Get of key: its value, or NotOk if value is
// nil, which is what a map gives for a missing key. A value of no bytes is not nil.
func AppendValue(out, key, value []byte) []byte {
	if value == nil {
		return AppendNotOk(out, GetResponse, key)
	}
	return Append(out, &Message{Key: key, Value: value, Kind: GetResponse})
}

// AppendOk appends the answer to a PutOrUpdate.
func AppendOk(out []byte) []byte {
	return Append(out, &Message{Kind: PutOrUpdate})
}

// AppendNotOk appends the answer to a request that cannot be met. It leaves out a
// key that would make the frame longer than [MaxFrame].
func AppendNotOk(out []byte, kind Kind, key []byte) []byte {
	m := Message{Key: key, Kind: kind, Status: NotOk}
	if m.size()+len(footer) > MaxFrame {
		m.Key = nil
	}
	return Append(out, &m)
}

// AppendError appends the answer to input that [Parse] refuses: the text of err as
// a value, with kind 0 and NotOk. It appends nothing if err is nil.
func AppendError(out []byte, err error) []byte {
	if err == nil {
		return out
	}
	return Append(out, &Message{Value: []byte(err.Error()), Status: NotOk})
}
