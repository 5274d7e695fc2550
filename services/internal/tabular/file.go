package tabular

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Format of a file, by what it holds.
type Format string

// Formats.
const (
	CSV     Format = "csv"
	JSON    Format = "json" // an object a line, or one list of objects
	Parquet Format = "parquet"
)

// FileOptions say what a file does not say itself.
type FileOptions struct {
	Delimiter byte   // of CSV; 0 = found in the first line
	Encoding  string // "" = UTF-8, or UTF-16 by its mark
}

const bufferSize = 256 << 10

// FormatOf looks into a file. Parquet is for engines to read; OpenFile reads
// the others.
func FormatOf(path string) (Format, error) {
	in, closer, err := open(path, FileOptions{})
	if err != nil {
		return "", err
	}
	defer closer() //nolint:errcheck // only its first bytes were read
	head, _ := in.Peek(512)
	switch trimmed := bytes.TrimLeft(head, " \t\r\n"); {
	case bytes.HasPrefix(head, []byte("PAR1")):
		return Parquet, nil
	case len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '['):
		return JSON, nil
	}
	return CSV, nil
}

// OpenFile reads a CSV or JSON file, also one packed by gzip, zstd or zip.
func OpenFile(path string, o FileOptions) (Reader, error) {
	format, err := FormatOf(path)
	if err != nil {
		return nil, err
	}
	if format == Parquet {
		return nil, fmt.Errorf("%s is Parquet", path)
	}
	if format == JSON {
		return openJSON(path, func() (*bufio.Reader, func() error, error) { return open(path, o) })
	}
	in, closer, err := open(path, o)
	if err != nil {
		return nil, err
	}
	r, err := newCSV(path, in, closer, o.Delimiter)
	if err != nil {
		return nil, errors.Join(err, closer())
	}
	return r, nil
}

// open unpacks and decodes a file.
func open(path string, o FileOptions) (*bufio.Reader, func() error, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	in, closer, err := unpack(f)
	if err == nil {
		in, err = decode(in, o.Encoding)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return in, func() error { closer(); return f.Close() }, nil
}

// unpack goes by the first bytes, not by the name.
func unpack(f *os.File) (*bufio.Reader, func(), error) {
	in := bufio.NewReaderSize(f, bufferSize)
	nothing := func() {}
	head, _ := in.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(z, bufferSize), nothing, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(z, bufferSize), z.Close, nil
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		member, err := onlyMember(f)
		if err != nil {
			return nil, nil, err
		}
		return bufio.NewReaderSize(member, bufferSize), func() { _ = member.Close() }, nil
	}
	return in, nothing, nil
}

// onlyMember opens the file inside a zip, as CRMs send large exports.
func onlyMember(f *os.File) (io.ReadCloser, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, info.Size())
	if err != nil {
		return nil, err
	}
	var files []*zip.File
	for _, member := range z.File {
		switch {
		case member.Name == "[Content_Types].xml":
			return nil, errors.New("an Excel workbook: save it as CSV UTF-8 first")
		case !member.FileInfo().IsDir() && !strings.HasPrefix(member.Name, "__MACOSX/"):
			files = append(files, member)
		}
	}
	if len(files) != 1 {
		return nil, fmt.Errorf("a zip of %d files: unpack it and name one", len(files))
	}
	return files[0].Open()
}

// decode turns any encoding into UTF-8 without a byte order mark.
func decode(in *bufio.Reader, name string) (*bufio.Reader, error) {
	head, _ := in.Peek(3)
	var enc encoding.Encoding
	switch {
	case name != "":
		var err error
		if enc, err = htmlindex.Get(name); err != nil {
			return nil, fmt.Errorf("encoding %q is not known: windows-1252, iso-8859-1, utf-16le and others are", name)
		}
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		enc = unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM)
	}
	if enc != nil && enc != unicode.UTF8 {
		in = bufio.NewReaderSize(transform.NewReader(in, enc.NewDecoder()), bufferSize)
		head, _ = in.Peek(3)
	}
	if bytes.HasPrefix(head, []byte("\ufeff")) {
		_, _ = in.Discard(3)
	}
	return in, nil
}
