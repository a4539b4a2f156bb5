// An IMAP server of go-imap with its backend in memory: users USER... with the password "secret", on a loopback port.
//
// Usage: main PORT USER...
package main

import (
	"errors"
	"log"
	"net"
	"os"
	"sync"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/backend"
	"github.com/emersion/go-imap/backend/memory"
	"github.com/emersion/go-imap/server"
)

// The backend in memory has one user; here each has one of their own. It is made for one connection at a time.
type users struct {
	lock     sync.Mutex
	backends map[string]*memory.Backend
}

func (all *users) Login(conn *imap.ConnInfo, name, password string) (backend.User, error) {
	all.lock.Lock()
	defer all.lock.Unlock()
	own, known := all.backends[name]
	if !known || password != "secret" {
		return nil, errors.New("Bad username or password")
	}
	return own.Login(conn, "username", "password")
}

func emptied(own *memory.Backend) *memory.Backend {
	user, err := own.Login(nil, "username", "password")
	if err != nil {
		log.Fatal(err)
	}
	inbox, err := user.GetMailbox("INBOX")
	if err != nil {
		log.Fatal(err)
	}
	everything, _ := imap.ParseSeqSet("1:*")
	if err := inbox.UpdateMessagesFlags(true, everything, imap.AddFlags, []string{imap.DeletedFlag}); err != nil {
		log.Fatal(err)
	}
	if err := inbox.Expunge(); err != nil {
		log.Fatal(err)
	}
	return own
}

func main() {
	all := &users{backends: map[string]*memory.Backend{}}
	for _, name := range os.Args[2:] {
		all.backends[name] = emptied(memory.New())
	}
	served := server.New(all)
	served.AllowInsecureAuth = true
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(served.Serve(listener))
}
