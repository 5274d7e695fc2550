// Package reconcile is the role that reads the CRMs: it polls for changes and
// echoes where a system sends none, answers what the ledger asks with checks,
// probes with its own credentials, and compares whole record sets on a
// schedule. What it finds goes to intake as observations: the ledger alone
// says what is a divergence.
package reconcile
