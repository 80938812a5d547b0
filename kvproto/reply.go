package kvproto

// AppendValue appends the answer to a Get of key: its value if it has one, else
// NotOk.
func AppendValue(out, key, value []byte, ok bool) []byte {
	if !ok {
		return AppendNotOk(out, GetResponse, key)
	}
	return Append(out, &Message{Key: key, Value: value, Kind: GetResponse})
}

// AppendOk appends the answer to a PutOrUpdate.
func AppendOk(out []byte) []byte {
	return Append(out, &Message{Kind: PutOrUpdate})
}

// AppendNotOk appends the answer to a request that cannot be met.
func AppendNotOk(out []byte, kind Kind, key []byte) []byte {
	return Append(out, &Message{Key: key, Kind: kind, Status: NotOk})
}

// AppendError appends the answer to input that [Parse] refuses: the text of err as
// a value, with kind 0 and NotOk. It appends nothing if err is nil.
func AppendError(out []byte, err error) []byte {
	if err == nil {
		return out
	}
	return Append(out, &Message{Value: []byte(err.Error()), Status: NotOk})
}
