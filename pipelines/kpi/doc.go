// Package kpi folds partials into minutes and judges the KPIs by them.
//
// What it emits to kpis are additions to minutes, which the SQL views sum. For
// the alert rules it keeps the last day by the minute and four weeks by the
// hour, and computes the same formulas as the views (kpis.md); a golden test
// of services/internal/warehouse holds the two equal.
package kpi

//go:generate go tool msgp -tests=false -io=false -file state.go -o state_gen.go
