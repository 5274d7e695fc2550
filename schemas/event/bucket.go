package event

import "math"

// Latencies are counted in fixed buckets, each 2 % wider than the one before:
// sums of buckets are exact, and a percentile read from them is within 1 %.
// Negative latencies (skewed clocks) have negative buckets, 0 holds under 1 ms.
const bucketGrowth = 1.02

var logGrowth = math.Log(bucketGrowth)

// LatencyBucket is the bucket of a latency. In ClickHouse:
//
//	sign(ms) * ceil(log(abs(ms)) / log(1.02) + 1)
func LatencyBucket(ms int64) int {
	switch {
	case ms == 0:
		return 0
	case ms < 0:
		return -LatencyBucket(-ms)
	}
	return int(math.Ceil(math.Log(float64(ms))/logGrowth)) + 1
}

// BucketMS is the middle of a bucket in milliseconds.
func BucketMS(bucket int) float64 {
	switch {
	case bucket == 0:
		return 0
	case bucket < 0:
		return -BucketMS(-bucket)
	}
	return math.Pow(bucketGrowth, float64(bucket)-1.5)
}
