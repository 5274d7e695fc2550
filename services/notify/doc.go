// Package notify speaks to people. It reads alert-states from offset 0, by
// partition and without a group, so that it needs no position of its own, and
// hands what is wrong to Alertmanager's own packages: routes, grouping,
// inhibition, silences, retries and every receiver behind the alertmanager.yml
// people already know. Or it sends the same alerts on to an external
// Alertmanager.
//
// What was told is remembered in Alertmanager's notification log on disk,
// saved every second: a message is sent at least once, and after a kill -9 at
// most those of the last second a second time, with the same alert id and seq.
package notify
