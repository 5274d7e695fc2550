package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"plumbline.dev/services/ingest"
	cfgload "plumbline.dev/services/internal/config"
	"plumbline.dev/services/internal/privacy"
)

func doctorCommand() *cobra.Command {
	parent := &cobra.Command{Use: "doctor", Short: "Find out why something does not arrive", Args: cobra.NoArgs}
	parent.AddCommand(doctorIngest())
	return parent
}

// maxSample is what a hook itself would take.
const maxSample = 8 << 20

func doctorIngest() *cobra.Command {
	var c common
	var hook, sample string
	cmd := &cobra.Command{
		Use: "ingest --hook ID --sample FILE", Args: cobra.NoArgs,
		Short: "Say what a hook makes of a sample: a body, or a whole HTTP request with its headers; - reads stdin",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if hook == "" || sample == "" {
				return fmt.Errorf("%w: --hook and --sample are needed", errUsage)
			}
			b, err := readSample(sample, cmd.InOrStdin())
			if err != nil {
				return err
			}
			f, err := c.examine(hook, b)
			if err != nil {
				return err
			}
			return tell(cmd.OutOrStdout(), &f)
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&hook, "hook", "", "id of the hook in the config")
	cmd.Flags().StringVar(&sample, "sample", "", "file with the body or request")
	return cmd
}

func readSample(path string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("read the sample: %w", err)
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSample+1))
	if err == nil && len(b) > maxSample {
		err = errors.New("the sample is larger than 8 MiB, which no hook takes")
	}
	return b, err
}

func (c *common) examine(hook string, sample []byte) (ingest.Finding, error) {
	cfg, dir, err := c.load()
	if err != nil {
		return ingest.Finding{}, err
	}
	// The policy's key does not matter here: values are not shown.
	key, err := privacy.NewKey(make([]byte, 32))
	if err != nil {
		return ingest.Finding{}, err
	}
	return ingest.Examine(ingest.Options{
		Config: cfg, Secrets: cfgload.Secrets{Dir: dir}, Privacy: privacy.NewPolicy(key, cfg.Integrations), Logger: zap.NewNop(),
	}, hook, sample)
}

// tell says what was found, and fails if anything would be lost.
func tell(w io.Writer, f *ingest.Finding) error {
	say := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	say("hook     %s (%s), %s", f.Card.Hook, f.Card.Source, f.Card.Proof)
	if f.Card.URL != "" {
		say("url      %s", f.Card.URL)
	}
	say("proof    %s", f.Verdict)
	say("answer   %d %s", f.Answer, f.Body)
	for _, e := range f.Events {
		say("%s", e)
	}
	for _, r := range f.Rejected {
		say("rejected %s", r)
	}
	if len(f.Events) == 0 && len(f.Rejected) == 0 && f.Answer/100 == 2 {
		say("nothing  of it is an event that Plumbline uses: accepted and ignored")
	}
	for _, name := range f.Card.Unseen {
		say("unseen   %s is mapped, and not in this sample", name)
	}
	if len(f.Rejected) > 0 || f.Answer/100 != 2 || len(f.Verdict) > 7 && f.Verdict[:7] == "refused" {
		return errors.New("the hook would refuse some or all of this sample; the reasons stand above")
	}
	return nil
}
