// Reads what Python wrote with Go's own packages, and says whether they agree: signed notes with
// sumdb/note, roots and proofs with sumdb/tlog. One JSON object on stdin; exit status 0 if all hold.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type proof struct {
	Old, New         int64
	OldHash, NewHash string
	Path             []string
}

type input struct {
	Notes       []struct{ Key, Note string }
	Leaves      []string
	Consistency []proof
	Inclusion   []proof
}

func main() {
	var given input
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		fail("input: %v", err)
	}
	roots := grow(given.Leaves)
	for _, one := range given.Notes {
		verifier, err := note.NewVerifier(one.Key)
		if err != nil {
			fail("key %s: %v", one.Key, err)
		}
		opened, err := note.Open([]byte(one.Note), note.VerifierList(verifier))
		if err != nil {
			fail("note: %v", err)
		}
		lines := strings.Split(opened.Text, "\n")
		size, err := strconv.Atoi(lines[1])
		if err != nil || size >= len(roots) || lines[2] != roots[size].String() {
			fail("the root of %s is another one here", lines[1])
		}
	}
	for _, one := range given.Consistency {
		err := tlog.CheckTree(path(one.Path), one.New, hash(one.NewHash), one.Old, hash(one.OldHash))
		if err != nil {
			fail("consistency %d to %d: %v", one.Old, one.New, err)
		}
	}
	for _, one := range given.Inclusion {
		err := tlog.CheckRecord(path(one.Path), one.New, hash(one.NewHash), one.Old, hash(one.OldHash))
		if err != nil {
			fail("inclusion of %d in %d: %v", one.Old, one.New, err)
		}
	}
	fmt.Println(len(given.Notes), len(given.Consistency), len(given.Inclusion))
}

// grow returns the root of every size, by tlog's own tree.
func grow(leaves []string) []tlog.Hash {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = stored[index]
		}
		return found, nil
	})
	roots := []tlog.Hash{{}}
	for i, leaf := range leaves {
		hashes, err := tlog.StoredHashes(int64(i), []byte(leaf), reader)
		if err != nil {
			fail("leaf %d: %v", i, err)
		}
		stored = append(stored, hashes...)
		root, err := tlog.TreeHash(int64(i+1), reader)
		if err != nil {
			fail("root of %d: %v", i+1, err)
		}
		roots = append(roots, root)
	}
	return roots
}

func hash(text string) tlog.Hash {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != tlog.HashSize {
		fail("no hash: %s", text)
	}
	return tlog.Hash(*(*[tlog.HashSize]byte)(raw))
}

func path(texts []string) []tlog.Hash {
	found := []tlog.Hash{}
	for _, text := range texts {
		found = append(found, hash(text))
	}
	return found
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
