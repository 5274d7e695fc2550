package salesforce

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/salesforce/soql"
)

// States of a bulk query job.
const (
	uploaded   = "UploadComplete"
	inProgress = "InProgress"
	complete   = "JobComplete"
	aborted    = "Aborted"
	failed     = "Failed"
)

// bulkPage is how many records a part of the results holds unless asked.
const bulkPage = 50_000

// job is one query of Bulk API 2.0. It moves a state forward each time it is
// asked for, and reads the records when it completes.
type job struct {
	ID, Operation, Text, State, Message string
	created                             int64
	version                             string
	query                               *soql.Query
	table                               *crm.Table
	names                               []string
	lines                               [][]byte // once complete
}

func (s *Server) bulkCreate(q *request) answer {
	var in struct {
		Operation string `json:"operation"`
		Query     string `json:"query"`
		Content   string `json:"contentType"`
		Delimiter string `json:"columnDelimiter"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, q.Body, maxBody)).Decode(&in); err != nil {
		return problem(http.StatusBadRequest, "JSON_PARSER_ERROR", "the body is not JSON")
	}
	switch {
	case in.Operation != "query" && in.Operation != "queryAll":
		return problem(http.StatusBadRequest, "INVALIDJOB", "Operation must be query or queryAll")
	case in.Content != "" && in.Content != "CSV", in.Delimiter != "" && in.Delimiter != "COMMA":
		return problem(http.StatusBadRequest, "INVALIDJOB", "the fake knows CSV with commas")
	}
	parsed, err := soql.Parse(in.Query, s.o.Now())
	if err != nil {
		return problem(http.StatusBadRequest, "MALFORMED_QUERY", err.Error())
	}
	t := s.table(parsed.From)
	if t == nil {
		return problem(http.StatusBadRequest, "INVALID_TYPE", fmt.Sprintf("sObject type '%s' is not supported.", parsed.From))
	}
	if parsed.Count || parsed.Offset > 0 {
		return problem(http.StatusBadRequest, "FUNCTIONALITY_NOT_ENABLED", "Aggregate Relationships not supported in Bulk Query")
	}
	names, bad := s.selected(t, parsed)
	if bad != nil {
		return *bad
	}
	s.mu.Lock()
	s.serial++
	id := fmt.Sprintf("7505f%010dAAA", s.serial)
	s.mu.Unlock()
	j := &job{
		ID: id, Operation: in.Operation, Text: in.Query, State: uploaded, created: s.o.Now(),
		version: q.version, query: parsed, table: t, names: names,
	}
	s.jobs[j.ID] = j
	return answer{http.StatusOK, s.bulkInfo(j)}
}

func (s *Server) bulkInfo(j *job) map[string]any {
	out := map[string]any{
		"id": j.ID, "operation": j.Operation, "object": j.table.Name, "createdById": s.o.UserID, "createdDate": stamp(j.created),
		"systemModstamp": stamp(s.o.Now()), "state": j.State, "concurrencyMode": "Parallel", "contentType": "CSV",
		"apiVersion": json.Number(strings.TrimPrefix(j.version, "v")), "lineEnding": "LF", "columnDelimiter": "COMMA",
	}
	if j.State != uploaded {
		out["jobType"], out["retries"], out["totalProcessingTime"], out["numberRecordsProcessed"] = "V2Query", 0, 1500, len(j.lines)
	}
	if j.Message != "" {
		out["errorMessage"] = j.Message
	}
	return out
}

func (s *Server) bulkJob(q *request) *job { return s.jobs[q.PathValue("job")] }

func (s *Server) bulkStatus(q *request) answer {
	j := s.bulkJob(q)
	if j == nil {
		return notFound()
	}
	info := s.bulkInfo(j)
	switch j.State { // the next look sees more
	case uploaded:
		j.State = inProgress
	case inProgress:
		if j.State = complete; s.o.JobFails != nil {
			if j.Message = s.o.JobFails(j.Text); j.Message != "" {
				j.State = failed
				break
			}
		}
		s.bulkRead(j)
	}
	return answer{http.StatusOK, info}
}

// bulkRead holds the records as they are now, every value quoted.
func (s *Server) bulkRead(j *job) {
	for _, r := range s.matching(j.table, j.query, j.Operation == "queryAll") {
		var b bytes.Buffer
		for i, n := range j.names {
			if i > 0 {
				b.WriteByte(',')
			}
			v := s.value(j.table, r, n)
			if strings.HasSuffix(n, "Date") || n == "SystemModstamp" {
				v = strings.Replace(v, "+0000", "Z", 1)
			}
			b.WriteString(quoted(v))
		}
		b.WriteByte('\n')
		j.lines = append(j.lines, b.Bytes())
	}
}

func quoted(v string) string { return `"` + strings.ReplaceAll(v, `"`, `""`) + `"` }

// text is an answer that is no JSON.
type text struct {
	header map[string]string
	body   []byte
}

func (s *Server) bulkResults(q *request) answer {
	j := s.bulkJob(q)
	switch {
	case j == nil:
		return notFound()
	case j.State != complete:
		return problem(http.StatusBadRequest, "INVALIDJOBSTATE", "Job "+j.ID+" is not complete")
	}
	from, most := 0, bulkPage
	if l := q.URL.Query().Get("locator"); l != "" {
		plain, errPlain := base64.RawStdEncoding.DecodeString(l)
		var err error
		if from, err = strconv.Atoi(string(plain)); err != nil || errPlain != nil || from < 0 || from > len(j.lines) {
			return problem(http.StatusBadRequest, "INVALID_QUERY_LOCATOR", "invalid query locator")
		}
	}
	if n, err := strconv.Atoi(q.URL.Query().Get("maxRecords")); err == nil && n > 0 {
		most = min(n, most)
	}
	end, next := min(from+most, len(j.lines)), "null"
	if end < len(j.lines) {
		next = base64.RawStdEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	}
	if next == "null" && j.query.Where == nil {
		s.o.Listed(j.table)
	}
	var b bytes.Buffer
	for i, n := range j.names {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(quoted(n))
	}
	b.WriteByte('\n')
	for _, line := range j.lines[from:end] {
		b.Write(line)
	}
	return answer{http.StatusOK, text{map[string]string{
		"Content-Type": "text/csv", "Sforce-Locator": next, "Sforce-NumberOfRecords": strconv.Itoa(end - from),
	}, b.Bytes()}}
}

func (s *Server) bulkAbort(q *request) answer {
	j := s.bulkJob(q)
	var in struct {
		State string `json:"state"`
	}
	err := json.NewDecoder(http.MaxBytesReader(nil, q.Body, maxBody)).Decode(&in)
	switch {
	case j == nil:
		return notFound()
	case err != nil || in.State != aborted || j.State == complete || j.State == failed:
		return problem(http.StatusBadRequest, "INVALIDJOBSTATE", "a job that runs can be Aborted, nothing else")
	}
	j.State = aborted
	return answer{http.StatusOK, s.bulkInfo(j)}
}

func (s *Server) bulkDelete(q *request) answer {
	j := s.bulkJob(q)
	switch {
	case j == nil:
		return notFound()
	case j.State == uploaded || j.State == inProgress:
		return problem(http.StatusBadRequest, "INVALIDJOBSTATE", "Job "+j.ID+" is not in a terminal state")
	}
	delete(s.jobs, j.ID)
	return answer{http.StatusNoContent, nil}
}

// bulkJobs lists the jobs that there are.
func (s *Server) bulkJobs(*request) answer {
	records := []any{}
	for _, j := range s.jobs {
		records = append(records, s.bulkInfo(j))
	}
	return answer{http.StatusOK, map[string]any{"done": true, "records": records, "nextRecordsUrl": nil}}
}

// Jobs is how many bulk queries nobody has deleted.
func (s *Server) Jobs() int {
	s.o.Lock.Lock()
	defer s.o.Lock.Unlock()
	return len(s.jobs)
}

// AbortJobs ends every bulk query, as an administrator can.
func (s *Server) AbortJobs() {
	s.o.Lock.Lock()
	defer s.o.Lock.Unlock()
	for _, j := range s.jobs {
		j.State = aborted
	}
}
