package config

import "time"

// DefaultTenant is whose data it is where nobody else is named.
const DefaultTenant = "default"

// Names of thresholds that an integration may override (docs/alerts.md).
const (
	ThresholdSuccess        = "success_target"
	ThresholdSuccessWarning = "success_warning"
	ThresholdLatency        = "latency_target_ms"
	ThresholdMTTRP1         = "mttr_p1_ms"
	ThresholdMTTRP2         = "mttr_p2_ms"
	ThresholdDrift          = "drift_target"
	ThresholdCoverage       = "coverage_target"
	ThresholdOther          = "other_warning"
)

// TenantOrDefault is the integration's tenant.
func (in *Integration) TenantOrDefault() string {
	if in.Tenant == "" {
		return DefaultTenant
	}
	return in.Tenant
}

// LatencyTarget is what the p95 has to stay under, in milliseconds.
func (in *Integration) LatencyTarget() int64 {
	if ms := in.Thresholds[ThresholdLatency]; ms > 0 {
		return int64(ms)
	}
	if in.Mode == Batch {
		return time.Hour.Milliseconds()
	}
	return (5 * time.Minute).Milliseconds()
}

// Threshold is an override, or what stands otherwise.
func (in *Integration) Threshold(name string, otherwise float64) float64 {
	if v := in.Thresholds[name]; v > 0 {
		return v
	}
	return otherwise
}
