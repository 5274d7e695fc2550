package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"plumbline.dev/services/standalone"
)

func backupCommand() *cobra.Command {
	var c common
	var out string
	cmd := &cobra.Command{
		Use: "backup --out DIR", Short: "Copy every ClickHouse table into a folder, while everything runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return errors.Join(errUsage, errors.New("--out is needed: a folder that is not there yet"))
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
			m, err := db.Backup(cmd.Context(), out)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d tables, %d rows in %s; keep the privacy key and the config file with it\n", len(m.Tables), m.Rows(), out)
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&out, "out", "", "folder to make")
	return cmd
}

func restoreCommand() *cobra.Command {
	var c common
	var from string
	cmd := &cobra.Command{
		Use: "restore --from DIR", Args: cobra.NoArgs,
		Short: "Put a backup's rows back; what is there already counts once, and the sink reads what came since again",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" {
				return errors.Join(errUsage, errors.New("--from is needed: a folder that backup made"))
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
			m, err := db.Restore(cmd.Context(), from)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%d tables, %d rows restored; the sink reads what came since within two audits, or at its next start\n",
				len(m.Tables), m.Rows())
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&from, "from", "", "folder of the backup")
	return cmd
}
