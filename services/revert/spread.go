package revert

// SpreadSQL lists which records downstream received what an agent wrote, and
// how far each got: integration, object, source id, target id, state, changes, last.
func SpreadSQL(q Query) string {
	return `
SELECT integration, object, source_id, anyLast(target_id), argMax(state, changed_at), count(), max(changed_at)
FROM deliveries
WHERE ` + q.where() + ` AND state IN ('acknowledged', 'applied', 'verified', 'unobserved')
GROUP BY integration, object, source_id
ORDER BY integration, object, source_id`
}
