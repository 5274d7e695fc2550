package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/schemas/topic"
)

// Topics are what a cluster says of the table in schemas/topic.
type Topics struct {
	Partitions map[string]int32
	IDs        map[string]string // the broker's id of a topic: a re-created topic has another
}

// ApplyTopics creates what is missing and checks what is there. Partition
// counts are fixed for life: an existing topic keeps its own, and all keyed
// topics must agree, or a key's state would be looked for in the wrong place.
func ApplyTopics(ctx context.Context, o Options, partitions int, replicas int16) (Topics, error) {
	cl, err := kgo.NewClient(o.kgo()...)
	if err != nil {
		return Topics{}, fmt.Errorf("connect to kafka: %w", err)
	}
	defer cl.Close()
	adm := kadm.NewClient(cl)
	for _, spec := range topic.All {
		configs := map[string]*string{}
		for k, v := range o.shorter(spec).Configs() {
			configs[k] = &v
		}
		_, err := adm.CreateTopic(ctx, int32(partitions), replicas, configs, spec.Name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return Topics{}, fmt.Errorf("create topic %s: %w", spec.Name, err)
		}
		if err == nil || o.Retention == 0 {
			continue
		}
		if err := retain(ctx, adm, o.shorter(spec)); err != nil {
			return Topics{}, err
		}
	}
	return awaitTopics(ctx, adm)
}

// shorter is a topic as this installation keeps it. State, and what is
// compacted, is nobody's to shorten.
func (o Options) shorter(spec topic.Spec) topic.Spec {
	if o.Retention > 0 && spec.Cleanup == topic.Delete && spec.Retention != topic.Forever {
		spec.Retention = min(spec.Retention, o.Retention.Milliseconds())
	}
	return spec
}

// retain has a topic that exists keep records as long as is wanted now.
func retain(ctx context.Context, adm *kadm.Client, spec topic.Spec) error {
	if spec.Cleanup != topic.Delete {
		return nil
	}
	ms := spec.Configs()["retention.ms"]
	answers, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &ms}}, spec.Name)
	if err == nil {
		_, err = answers.On(spec.Name, nil)
	}
	if err != nil {
		return fmt.Errorf("set retention.ms of topic %s: %w", spec.Name, err)
	}
	return nil
}

// awaitTopics waits until the cluster shows every topic: creation is visible
// some time after it was acknowledged.
func awaitTopics(ctx context.Context, adm *kadm.Client) (Topics, error) {
	for {
		t, err := describe(ctx, adm)
		if err == nil {
			return t, nil
		}
		select {
		case <-ctx.Done():
			return Topics{}, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// CheckTopics describes the topics and creates nothing.
func CheckTopics(ctx context.Context, o Options) (Topics, error) {
	cl, err := kgo.NewClient(o.kgo()...)
	if err != nil {
		return Topics{}, fmt.Errorf("connect to kafka: %w", err)
	}
	defer cl.Close()
	return describe(ctx, kadm.NewClient(cl))
}

func describe(ctx context.Context, adm *kadm.Client) (Topics, error) {
	t := Topics{Partitions: map[string]int32{}, IDs: map[string]string{}}
	details, err := adm.ListTopics(ctx)
	if err != nil {
		return t, fmt.Errorf("list topics: %w", err)
	}
	for _, spec := range topic.All {
		d, ok := details[spec.Name]
		if !ok || d.Err != nil || len(d.Partitions) == 0 {
			return t, fmt.Errorf("topic %s is missing: run `plumbline topics apply`", spec.Name)
		}
		t.Partitions[spec.Name], t.IDs[spec.Name] = int32(len(d.Partitions)), d.ID.String()
	}
	for name, n := range t.Partitions {
		if want := t.Partitions[topic.Facts]; n != want {
			return t, fmt.Errorf("topic %s has %d partitions and %s has %d: they must agree; "+
				"delete the one that is wrong and run `plumbline topics apply`", name, n, topic.Facts, want)
		}
	}
	return t, nil
}
