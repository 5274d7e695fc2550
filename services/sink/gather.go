package sink

import "time"

// idleFactor stretches the wait where nothing becomes a row: a topic of ticks
// should not cost a commit each half second.
const idleFactor = 10

func (r *runner) patience(rows int) time.Duration {
	if rows == 0 {
		return idleFactor * r.opts.FlushInterval
	}
	return r.opts.FlushInterval
}

// waiting counts the rows and records that could be stored now.
func (r *runner) waiting() (rows, records int) {
	for _, p := range r.parts {
		if p.found != nil && !p.complete() {
			continue
		}
		rows += p.rows
		records += len(p.wait)
	}
	return rows, records
}

// due makes a batch when enough waits, or has waited long enough.
func (r *runner) due() (*batch, error) {
	rows, records := r.waiting()
	full := records >= r.opts.MaxRows || r.bytes() >= r.opts.MaxBytes/2
	if records == 0 || !full && time.Since(r.oldest) < r.patience(rows) {
		return nil, nil
	}
	return r.gather()
}

func (r *runner) bytes() int {
	n := 0
	for _, p := range r.parts {
		n += p.bytes
	}
	return n
}

// gather makes the next batch: every partition's share, an open intent whole.
func (r *runner) gather() (*batch, error) {
	share := max(1, r.opts.MaxRows/max(1, len(r.parts)))
	var spans []span
	for _, p := range r.parts {
		if len(p.wait) == 0 || p.found != nil && !p.complete() {
			continue
		}
		n := share
		if len(r.parts) == 1 || r.total() <= r.opts.MaxRows {
			n = r.opts.MaxRows // all of it fits
		}
		spans = append(spans, p.cut(n))
	}
	r.oldest = time.Now()
	r.throttle() // there is room again
	if len(spans) == 0 {
		return nil, nil
	}
	return r.newBatch(spans)
}

func (r *runner) total() int {
	n := 0
	for _, p := range r.parts {
		n += len(p.wait)
	}
	return n
}

// throttle stops fetching while enough waits. A range that has to be read
// again is exempt: nothing can be stored before it is whole.
func (r *runner) throttle() {
	full := r.total() >= r.opts.MaxRows || r.bytes() >= r.opts.MaxBytes
	for _, p := range r.parts {
		if r.current == nil && p.found != nil && !p.complete() {
			full = false
		}
	}
	switch {
	case full && !r.paused:
		r.group.Pause()
	case !full && r.paused:
		r.group.Resume()
	}
	r.paused = full
}

// report sets the gauges.
func (r *runner) report() {
	lag := int64(0)
	for p, end := range r.ends {
		if part := r.parts[p]; part != nil && part.next >= 0 {
			lag += max(0, end-part.next)
		}
	}
	r.m.lag.WithLabelValues(r.spec.Name).Set(float64(lag))
	r.m.failing.WithLabelValues(r.spec.Name).Set(float64(r.fails))
	delay := 0.
	if _, records := r.waiting(); records > 0 || r.current != nil {
		delay = time.Since(r.oldest).Seconds()
	}
	r.m.delay.WithLabelValues(r.spec.Name).Set(delay)
}
