package event

// NativeKey is the key of intake: one native record, one partition.
func NativeKey(system, account, object, recordID string) string {
	return system + "/" + account + "/" + object + "/" + recordID
}

// RecordKey is the key of facts and of all that follows: one canonical record.
func RecordKey(integration, object, sourceID string) string {
	return integration + "/" + object + "/" + sourceID
}
