package salesforce

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

const (
	// bulkFrom is where a job with its waiting becomes cheaper than pages of 2000.
	bulkFrom     = 20_000
	bulkPart     = 50_000 // records of one answer
	bulkLooks    = 8      // at a job until it is done, for Cost: the waits double
	firstLook    = time.Second
	longestLook  = 30 * time.Second
	bulkPatience = 2 * time.Hour // for one job; the vendor itself gives up earlier
)

// errNotInBulk says that this set is to be read page by page.
var errNotInBulk = errors.New("not readable in bulk")

// Cost implements crm.Reader.
func (r *Reader) Cost(way crm.Way, n int64) int64 {
	if way == crm.ByAll && r.bulk >= 0 && n >= r.bulk {
		return 2 + bulkLooks + (n+bulkPart-1)/bulkPart // made and deleted, looked at, fetched
	}
	return max((n+page-1)/page, 1)
}

// inBulk decides how to read, and keeps to it where a read goes on.
func (r *Reader) inBulk(ctx context.Context, q crm.Query) (bool, error) {
	switch {
	case strings.HasPrefix(q.After, placeMark):
		return true, nil
	case r.bulk < 0, q.After != "":
		return false, nil
	case q.Expect > 0:
		return q.Expect >= r.bulk, nil
	}
	n, err := r.Count(ctx, q)
	return n >= r.bulk, err
}

// place is where reading a job's results goes on.
type place struct {
	job     string
	at      event.Time // when the job was made: what it holds is not older
	locator string     // of the part, "" = the first
	done    int64      // records of the part that were yielded
}

const placeMark = "bulk "

func (p place) String() string {
	return placeMark + strings.Join([]string{p.job, strconv.FormatInt(int64(p.at), 10), strconv.FormatInt(p.done, 10), p.locator}, " ")
}

func placeOf(after string) (place, bool) {
	part := strings.Split(strings.TrimPrefix(after, placeMark), " ")
	if !strings.HasPrefix(after, placeMark) || len(part) != 4 {
		return place{}, false
	}
	at, errAt := strconv.ParseInt(part[1], 10, 64)
	done, errDone := strconv.ParseInt(part[2], 10, 64)
	return place{job: part[0], at: event.Time(at), done: done, locator: part[3]}, errAt == nil && errDone == nil && part[0] != ""
}

// allInBulk makes a job, or goes on with the one it was reading. A job that
// is gone, failed or was aborted is made anew once; then pages must do.
func (r *Reader) allInBulk(ctx context.Context, q crm.Query, soql string, yield func(crm.Page) error) error {
	p, found := placeOf(q.After)
	for tries := 0; ; tries++ {
		if !found {
			if tries > 1 {
				return errNotInBulk
			}
			var err error
			if p, err = r.startJob(ctx, soql); err != nil {
				return err
			}
			if err := yield(crm.Page{Next: p.String(), At: p.at}); err != nil { // a killed process finds its job again
				return err
			}
		}
		ended, err := r.await(ctx, p)
		if err == nil && ended == "" {
			err = r.results(ctx, q, &p, yield)
		}
		switch {
		case err == nil && ended == "":
			r.dropJob(ctx, p)
			return nil
		case crm.KindOf(err) == crm.KindGone, expired(err), err == nil:
			found = false
		default:
			return err
		}
	}
}

func (r *Reader) startJob(ctx context.Context, soql string) (place, error) {
	var job struct {
		ID string `json:"id"`
	}
	at := event.At(r.clock.Now())
	err := r.call.Do(ctx, crm.Call{
		Method: http.MethodPost, Path: data + "/jobs/query", Body: map[string]string{
			"operation": "query", "query": soql, "contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF",
		},
	}, &job)
	switch crm.KindOf(err) {
	case crm.KindRefused, crm.KindGone, crm.KindScope: // kinds of records, fields and editions that it does not serve
		return place{}, errNotInBulk
	}
	if err == nil && job.ID == "" {
		err = &crm.Error{Kind: crm.KindOutage, System: "Salesforce", Message: "the bulk query got no id"}
	}
	return place{job: job.ID, at: at}, err
}

func jobPath(p place) string { return data + "/jobs/query/" + url.PathEscape(p.job) }

// await looks until the job is complete, ever less often. Ended tells why it
// never will be.
func (r *Reader) await(ctx context.Context, p place) (ended string, err error) {
	begun := r.clock.Now()
	for wait := firstLook; ; wait = min(2*wait, longestLook) {
		var job struct {
			State   string `json:"state"`
			Message string `json:"errorMessage"`
		}
		if err := r.call.Do(ctx, crm.Call{Method: http.MethodGet, Path: jobPath(p)}, &job); err != nil {
			return "", err
		}
		switch job.State {
		case "JobComplete":
			return "", nil
		case "Failed", "Aborted":
			r.dropJob(ctx, p)
			return job.State + ": " + job.Message, nil
		}
		if r.clock.Now().Sub(begun) > bulkPatience {
			r.abortJob(ctx, p)
			return "it took longer than " + bulkPatience.String(), nil
		}
		if err := r.clock.Sleep(ctx, wait); err != nil {
			return "", err
		}
	}
}

// dropJob frees the results, which would stay for a week. It is good manners
// and no more: nothing fails where it does.
func (r *Reader) dropJob(ctx context.Context, p place) {
	_ = r.call.Do(ctx, crm.Call{Method: http.MethodDelete, Path: jobPath(p)}, nil)
}

func (r *Reader) abortJob(ctx context.Context, p place) {
	_ = r.call.Do(ctx, crm.Call{Method: http.MethodPatch, Path: jobPath(p), Body: map[string]string{"state": "Aborted"}}, nil)
}
