package classify

import "strconv"

// maxCode bounds codes: longer ones are messages.
const maxCode = 96

// entry is what one code means to one system.
type entry struct {
	rule     *compiled
	evidence string
}

// codes finds entries by normalised code.
type codes map[string][]entry

// normCode makes one form of RATE_LIMIT, rate-limit, rateLimit: letters and
// digits in lower case, behind the last ':' (sf:INVALID_SESSION_ID).
func normCode(dst []byte, code string) []byte {
	for i := range len(code) {
		c := code[i]
		switch {
		case upper[c]:
			dst = append(dst, c+32)
		case alnum[c] || c == '.':
			dst = append(dst, c)
		case c == ':' && i+1 < len(code) && code[i+1] != ' ':
			dst = dst[:0]
		}
	}
	for len(dst) > 0 && dst[len(dst)-1] == '.' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// find returns the first entry whose rule's other conditions hold.
func (x codes) find(code string, status int, op string) *entry {
	if len(code) > maxCode {
		return nil
	}
	var buf [maxCode]byte
	list := x[string(normCode(buf[:0], code))]
	for i := range list {
		if list[i].rule.fits(status, op) {
			return &list[i]
		}
	}
	return nil
}

func (x codes) add(code string, e entry) {
	var buf [maxCode]byte
	key := string(normCode(buf[:0], code))
	x[key] = append(x[key], e)
	// Dataverse writes one code as hex, as unsigned and as signed decimal.
	if len(key) == 10 && key[:2] == "0x" {
		if n, err := strconv.ParseUint(key[2:], 16, 32); err == nil {
			for _, form := range []string{strconv.FormatUint(n, 10), strconv.Itoa(int(int32(uint32(n))))} {
				form = string(normCode(buf[:0], form))
				x[form] = append(x[form], e)
			}
		}
	}
}

// bareStatus reports whether a code is nothing but an HTTP status.
func bareStatus(code string) int {
	if len(code) != 3 || code[0] < '1' || code[0] > '5' {
		return 0
	}
	n, err := strconv.Atoi(code)
	if err != nil || !inSpans(httpStatuses[:], n) {
		return 0
	}
	return n
}

// httpStatuses are the ones in use: other numbers of three digits are codes of
// a database or a vendor.
var httpStatuses = [...]span{{100, 103}, {200, 208}, {300, 308}, {400, 431}, {451, 451}, {495, 499}, {500, 511}, {520, 530}, {598, 599}}
