package server

import (
	"regexp"
	"strings"
)

// contentTypes by the format's name in lower case; anything else is text.
var contentTypes = map[string]string{
	"tabseparated": "text/tab-separated-values; charset=UTF-8",
	"csv":          "text/csv; charset=UTF-8; header=absent",
	"xml":          "application/xml; charset=UTF-8",
	"jsoneachrow":  "application/x-ndjson; charset=UTF-8",
	"arrow":        "application/vnd.apache.arrow.file", "arrowstream": "application/vnd.apache.arrow.stream",
}

var binaryFormats = []string{"native", "rowbinary", "parquet", "orc", "avro", "protobuf", "msgpack", "capnproto", "bson", "npy", "raw"}

func contentType(format string) string {
	f := strings.ToLower(format)
	switch {
	case contentTypes[f] != "":
		return contentTypes[f]
	case strings.HasPrefix(f, "tabseparated"):
		return contentTypes["tabseparated"]
	case strings.HasPrefix(f, "csv"):
		return "text/csv; charset=UTF-8; header=present"
	case strings.HasPrefix(f, "json") && strings.HasSuffix(f, "eachrow"), strings.HasPrefix(f, "jsoncompacteachrow"):
		return contentTypes["jsoneachrow"]
	case strings.HasPrefix(f, "json"):
		return "application/json; charset=UTF-8"
	}
	for _, b := range binaryFormats {
		if strings.HasPrefix(f, b) {
			return "application/octet-stream"
		}
	}
	return "text/plain; charset=UTF-8"
}

// formatName expands the abbreviation that ClickHouse reports in full.
func formatName(f string) string {
	switch {
	case f == "":
		return "TabSeparated"
	case strings.HasPrefix(f, "TSV"):
		return "TabSeparated" + strings.TrimPrefix(f, "TSV")
	}
	return f
}

var hasVersion = regexp.MustCompile(`\(version [^)]*\)$`)

// message is an error in ClickHouse's words, for clients that parse them.
func message(err error, version string) string {
	text := err.Error()
	if !strings.HasPrefix(text, "Code: ") {
		text = "Code: 1002. DB::Exception: " + text
	}
	if !hasVersion.MatchString(text) {
		text += " (version " + version + ")"
	}
	return text + "\n"
}
