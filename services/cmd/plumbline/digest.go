package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"plumbline.dev/services/standalone"
)

// notifyDigestCommand prints what the weekly message would say now.
func notifyDigestCommand() *cobra.Command {
	var c common
	cmd := &cobra.Command{
		Use: "digest", Short: "Print the digest of the last seven days; nobody is sent anything", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			db, err := standalone.OpenWarehouse(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer db.Close()
			d, err := standalone.DigestOf(o.Config, db)
			if err != nil {
				return err
			}
			for _, tenant := range d.Tenants {
				headline, text, err := d.Letter(cmd.Context(), tenant, time.Now(), standalone.ConsoleURL(o.Config))
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\n\n%s\n", headline, text)
			}
			return nil
		},
	}
	c.register(cmd)
	return cmd
}
