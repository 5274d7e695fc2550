package privacy

import (
	"strings"

	"plumbline.dev/pipelines/value"
)

// suffixes say what a field holds by the end of its name, lower-case, without
// separators and Salesforce's __c. HubSpot alone has thirty e-mail and phone
// properties, and customers add more; flags like hs_email_optout end otherwise.
var suffixes = []struct{ end, kind string }{
	{"email", value.Email},
	{"emailaddress", value.Email},
	{"emails", value.Email},
	{"mail", value.Email},
	{"phone", value.Phone},
	{"phonenumber", value.Phone},
	{"phones", value.Phone},
	{"mobile", value.Phone},
	{"mobilenumber", value.Phone},
	{"cellphone", value.Phone},
	{"fax", value.Phone},
	{"faxnumber", value.Phone},
	{"telephone", value.Phone},
}

// maxName is beyond any vendor's: what is longer is judged by its end.
const maxName = 128

// nameKind is the kind of a field that nobody configured; empty for all others.
func nameKind(name string) string {
	if len(name) > maxName {
		name = name[len(name)-maxName:]
	}
	var buf [maxName]byte
	b := buf[:0]
	for i := range len(name) {
		switch c := name[i]; {
		case c >= 'A' && c <= 'Z':
			b = append(b, c+'a'-'A')
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			b = append(b, c)
		}
	}
	if strings.HasSuffix(name, "__c") || strings.HasSuffix(name, "__C") {
		b = b[:len(b)-1]
	}
	for len(b) > 0 && b[len(b)-1] >= '0' && b[len(b)-1] <= '9' { // email2, address1_telephone1
		b = b[:len(b)-1]
	}
	for i := range suffixes {
		if end := suffixes[i].end; len(b) >= len(end) && string(b[len(b)-len(end):]) == end {
			return suffixes[i].kind
		}
	}
	return ""
}
