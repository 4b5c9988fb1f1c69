// Command kubelet serves the one endpoint of a kubelet that a port-forward needs, by the kubelet's own streaming code:
// the API server hands a client's stream over, and each connection goes to the address that the file has for the pod.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

const (
	idleTimeout           = 10 * time.Minute
	streamCreationTimeout = 30 * time.Second
)

// addressBook names a JSON file with the address of each pod, by `namespace/name`. It is read for each connection, so
// that pods come and go.
type addressBook string

func (book addressBook) find(pod string) (string, error) {
	text, err := os.ReadFile(string(book))
	if err != nil {
		return "", err
	}
	var addresses map[string]string
	if err := json.Unmarshal(text, &addresses); err != nil {
		return "", err
	}
	address, found := addresses[pod]
	if !found {
		return "", fmt.Errorf("no pod %s runs here", pod)
	}
	return address, nil
}

// PortForward copies one connection in both directions until both sides have ended it.
func (book addressBook) PortForward(ctx context.Context, pod, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	address, err := book.find(pod)
	if err != nil {
		return err
	}
	// In a pod, a forwarded connection comes from the pod's own loopback, which istiod's debug pages ask nothing of.
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}
	connection, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, strconv.Itoa(int(port))))
	if err != nil {
		return err
	}
	defer connection.Close()
	asked := make(chan error, 1)
	answered := make(chan error, 1)
	go func() {
		_, err := io.Copy(connection, stream)
		if half, ok := connection.(*net.TCPConn); ok {
			_ = half.CloseWrite()
		}
		asked <- err
	}()
	go func() {
		_, err := io.Copy(stream, connection)
		answered <- err
	}()
	select {
	case err := <-answered:
		return err
	case err := <-asked:
		if err != nil {
			return err
		}
		return <-answered
	case <-ctx.Done():
		return ctx.Err()
	}
}

func main() {
	listen := flag.String("listen", "", "address and port")
	certificate := flag.String("certificate", "", "file in PEM form")
	key := flag.String("key", "", "file in PEM form")
	book := flag.String("pods", "", "JSON file with the address of each pod, by namespace/name")
	flag.Parse()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(response http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(response, "ok")
	})
	mux.HandleFunc("/portForward/{namespace}/{pod}", func(response http.ResponseWriter, request *http.Request) {
		options, err := portforward.NewV4Options(request)
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		pod := request.PathValue("namespace") + "/" + request.PathValue("pod")
		protocols := portforward.SupportedProtocols
		portforward.ServePortForward(response, request, addressBook(*book), pod, "", options, idleTimeout, streamCreationTimeout, protocols)
	})
	server := &http.Server{Addr: *listen, Handler: mux}
	log.Fatal(server.ListenAndServeTLS(*certificate, *key))
}
