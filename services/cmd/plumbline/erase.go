package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/standalone"
)

func eraseCommand() *cobra.Command {
	var c common
	var subject string
	var dry bool
	cmd := &cobra.Command{
		Use: "erase --subject KEY", Args: cobra.NoArgs,
		Short: "Remove a person's records from every table for good; KEY is a record key, a native id of either system, or an e-mail address",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if subject == "" {
				return errors.Join(errUsage, errors.New("--subject is needed: a record key (integration/object/id), a native id or an e-mail address"))
			}
			o, err := c.options()
			if err != nil {
				return err
			}
			db, err := standalone.OpenWarehouse(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer db.Close()
			hashes, err := standalone.SubjectHashes(o, subject)
			if err != nil {
				return err
			}
			keys, err := db.FindSubject(cmd.Context(), subject, hashes...)
			if errors.Is(err, warehouse.ErrNobody) {
				return fmt.Errorf("%w; a native id has to be written as the system writes it, an e-mail address is found where connections read the records", err)
			}
			if err != nil {
				return err
			}
			for _, k := range keys {
				fmt.Fprintln(cmd.OutOrStdout(), k)
			}
			if dry {
				return nil
			}
			if err := db.Erase(cmd.Context(), keys); err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "erased, and never stored again; Kafka's topics forget them by their retention (7 days)")
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&subject, "subject", "", "record key, native id, e-mail address or phone number")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only list the records")
	return cmd
}
