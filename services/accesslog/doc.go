// Package accesslog reads vendors' exported logs as lines of /v1/access: which
// credential did what, from where.
package accesslog
