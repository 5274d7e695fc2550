package accesslog

import (
	"fmt"
	"strings"
	"time"
)

// eventLog reads a Salesforce EventLogFile: hourly or daily CSV, one row an
// event (developer.salesforce.com, Object Reference, EventLogFile supported
// event types). Rows without a connected app are people's and are passed over.
func eventLog(r row) (Line, bool, error) {
	kind := r["event_type"]
	if kind == "" {
		return Line{}, false, fmt.Errorf("there is no column EVENT_TYPE: is this a Salesforce event log file?")
	}
	token := r.first("connected_app_name", "connected_app_id", "client_name")
	if token == "" {
		return Line{}, false, nil
	}
	at, err := eventTime(r)
	if err != nil {
		return Line{}, false, err
	}
	op := eventOperation(kind, r)
	if op == "" {
		return Line{}, false, nil
	}
	l := Line{
		System: "salesforce", Account: r["organization_id"], Token: token, At: at, Operation: op, Object: r.first("entity_name", "entity"),
		Rows: r.number("rows_processed", "rows_returned", "number_of_records", "record_count"), Network: r.first("client_ip", "source_ip"),
		UserAgent: r["user_agent"], Failed: failed(r),
	}
	if id := r["request_id"]; id != "" {
		l.ID = kind + "/" + id + "/" + l.Object
	}
	return l, true, l.whole()
}

// eventTime: TIMESTAMP_DERIVED is ISO 8601, TIMESTAMP is 20261103101530.123.
func eventTime(r row) (string, error) {
	if v := r["timestamp_derived"]; v != "" {
		return v, nil
	}
	t, err := time.Parse("20060102150405.000", r["timestamp"])
	if err != nil {
		return "", fmt.Errorf("TIMESTAMP %q is not written as 20261103101530.123", r["timestamp"])
	}
	return t.Format("2006-01-02T15:04:05.000Z"), nil
}

// eventOperation is what an event type says was done, "" for what is no use
// of data.
func eventOperation(kind string, r row) string {
	method := strings.ToUpper(r.first("method", "http_method", "operation", "operation_type"))
	switch kind {
	case "Login", "LoginAs":
		return "login"
	case "BulkApi", "BulkApi2", "BulkApiRequest":
		switch {
		case strings.Contains(method, "DELETE") && r["job_id"] != "" && r["entity_type"] == "":
			return "job_delete"
		case strings.Contains(method, "QUERY"):
			return "export"
		}
		return byMethod(method)
	case "ReportExport", "DocumentAttachmentDownloads", "ContentDistribution":
		return "export"
	case "RestApi", "API", "ApiTotalUsage", "Api":
		if kind != "RestApi" && method == "" {
			return "query"
		}
		if strings.Contains(strings.ToLower(r["uri"]), "/jobs/query/") && method == "DELETE" {
			return "job_delete"
		}
		return byMethod(method)
	case "SetupAuditTrail", "PermissionSetAssignment":
		return "admin"
	}
	return ""
}

func byMethod(method string) string {
	switch {
	case strings.Contains(method, "DELETE"):
		return "delete"
	case method == "GET" || strings.Contains(method, "QUERY") || strings.Contains(method, "RETRIEVE") || strings.Contains(method, "SEARCH"):
		return "query"
	case method == "":
		return "read"
	}
	return "write"
}

func failed(r row) bool {
	status := r.first("status_code", "status")
	return r["success"] == "0" || len(status) == 3 && status[0] >= '4' && status[0] <= '9'
}

// loginHistory reads an export of LoginHistory (Setup, Login History, or SOQL).
func loginHistory(r row) (Line, bool, error) {
	token := r.first("application", "connected app")
	if token == "" || token == "Browser" {
		return Line{}, false, nil // a person's
	}
	l := Line{
		System: "salesforce", Token: token, At: r.first("logintime", "login time"), Operation: "login",
		Network: r.first("sourceip", "source ip"), UserAgent: r.first("browser", "platform", "clientversion", "client version"),
		Failed: r["status"] != "" && r["status"] != "Success", ID: r["id"],
	}
	return l, true, l.whole()
}
