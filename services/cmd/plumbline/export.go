package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"plumbline.dev/services/standalone"
)

// exportFormats by the names people use.
var exportFormats = map[string]string{"parquet": "Parquet", "csv": "CSVWithNames", "ndjson": "JSONEachRow", "arrow": "Arrow"}

var exportable = regexp.MustCompile(`^\w+$`)

func exportCommand() *cobra.Command {
	var c common
	var format, out, where string
	cmd := &cobra.Command{
		Use: "export VIEW", Short: "Write a table or view to a file: parquet, csv, ndjson or arrow", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, ok := exportFormats[strings.ToLower(format)]
			if !ok || !exportable.MatchString(args[0]) {
				return errors.Join(errUsage, fmt.Errorf("a view's name and --format parquet, csv, ndjson or arrow are needed"))
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
			sql := "SELECT * FROM `" + args[0] + "`"
			if where != "" {
				sql += " WHERE " + where
			}
			return toFile(out, cmd.OutOrStdout(), func(w io.Writer) error { return db.Download(cmd.Context(), w, sql, name) })
		},
	}
	c.register(cmd)
	formats := make([]string, 0, len(exportFormats))
	for f := range exportFormats {
		formats = append(formats, f)
	}
	slices.Sort(formats)
	cmd.Flags().StringVar(&format, "format", "parquet", strings.Join(formats, ", "))
	cmd.Flags().StringVar(&out, "out", "-", "file to write; - is stdout")
	cmd.Flags().StringVar(&where, "where", "", "an SQL condition")
	return cmd
}

// toFile leaves no half file under the name: it is written beside and renamed.
func toFile(path string, stdout io.Writer, write func(io.Writer) error) error {
	if path == "-" {
		return write(stdout)
	}
	f, err := os.CreateTemp(dirOf(path), ".export-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := errors.Join(write(f), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

func dirOf(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i+1]
	}
	return "."
}
