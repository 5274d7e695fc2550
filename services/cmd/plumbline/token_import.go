package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"plumbline.dev/services/accesslog"
)

// accessBatch is how many lines go in one request.
const accessBatch = 1000

func tokenImportCommand() *cobra.Command {
	var c common
	var format string
	cmd := &cobra.Command{
		Use: "import FILE", Args: cobra.ExactArgs(1),
		Short: "Bring in a vendor's access log, so that tokens can be judged by all their uses",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return errors.Join(errUsage, err)
			}
			defer f.Close()
			var batch []accesslog.Line
			sent, broken := 0, 0
			flush := func() error {
				if len(batch) == 0 {
					return nil
				}
				if err := c.post(cmd.Context(), "access", batch); err != nil {
					return err
				}
				sent += len(batch)
				batch = batch[:0]
				fmt.Fprintf(cmd.ErrOrStderr(), "%d lines\n", sent)
				return nil
			}
			err = accesslog.Read(format, f, func(l accesslog.Line) error {
				if batch = append(batch, l); len(batch) == accessBatch {
					return flush()
				}
				return nil
			}, func(n int, err error) {
				if broken++; broken <= 10 {
					fmt.Fprintf(cmd.ErrOrStderr(), "line %d: %s\n", n, err)
				}
			})
			if err := errors.Join(err, flush()); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d uses of credentials are in, %d lines could not be read\n", sent, broken)
			if broken > 0 {
				return errQuiet{fmt.Errorf("%d lines could not be read", broken)}
			}
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&format, "format", "csv", "sf-event-log, sf-login-history or csv (columns named as the members of /v1/access)")
	return cmd
}
