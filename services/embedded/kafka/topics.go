package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

const createTimeout = 30 * time.Second

// createTopics asks over the wire like any client would, so that the broker
// validates the settings.
func createTopics(addr string, specs []TopicSpec) error {
	if len(specs) == 0 {
		return nil
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return fmt.Errorf("embedded kafka: create topics: %w", err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), createTimeout)
	defer cancel()
	adm := kadm.NewClient(cl)
	for _, s := range specs {
		_, err := adm.CreateTopic(ctx, s.Partitions, 1, configPointers(s.Config), s.Name)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			return fmt.Errorf("embedded kafka: create topic %s: %w", s.Name, err)
		}
	}
	return nil
}

func configPointers(config map[string]string) map[string]*string {
	out := make(map[string]*string, len(config))
	for k, v := range config {
		out[k] = &v
	}
	return out
}
