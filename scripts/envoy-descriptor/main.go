// Command envoy-descriptor writes the descriptors of the Envoy API messages that kirikae uses, with everything they
// import, as one FileDescriptorSet. Run it once for each Envoy upgrade:
//
//	cd scripts/envoy-descriptor && go run . ../../proto/envoy-v1.40.0.binpb
//
// The Go module ships every compiled descriptor, so neither protoc nor the .proto files are needed.
package main

import (
	"fmt"
	"os"

	_ "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/file/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/grpc/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/access_loggers/stream/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/bootstrap/internal_listener/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/clusters/dynamic_forward_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/dynamic_forward_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/grpc_stats/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/lua/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/set_filter_state/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/http_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/original_dst/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/tls_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/connection_limit/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/rbac/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/set_filter_state/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/host/previous_hosts/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/retry/priority/previous_priorities/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/internal_upstream/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/proxy_protocol/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/raw_buffer/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/service/accesslog/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
)

// roots are the files whose messages the emitters and the xDS server name; their imports follow by themselves.
var roots = []string{
	"envoy/config/bootstrap/v3/bootstrap.proto",
	"envoy/config/cluster/v3/cluster.proto",
	"envoy/config/endpoint/v3/endpoint.proto",
	"envoy/config/listener/v3/listener.proto",
	"envoy/config/route/v3/route.proto",
	"envoy/config/route/v3/scoped_route.proto",
	"envoy/extensions/access_loggers/file/v3/file.proto",
	"envoy/extensions/access_loggers/grpc/v3/als.proto",
	"envoy/extensions/access_loggers/stream/v3/stream.proto",
	"envoy/extensions/bootstrap/internal_listener/v3/internal_listener.proto",
	"envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster.proto",
	"envoy/extensions/filters/http/cors/v3/cors.proto",
	"envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy.proto",
	"envoy/extensions/filters/http/fault/v3/fault.proto",
	"envoy/extensions/filters/http/grpc_stats/v3/config.proto",
	"envoy/extensions/filters/http/header_mutation/v3/header_mutation.proto",
	"envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit.proto",
	"envoy/extensions/filters/http/lua/v3/lua.proto",
	"envoy/extensions/filters/http/rbac/v3/rbac.proto",
	"envoy/extensions/filters/http/router/v3/router.proto",
	"envoy/extensions/filters/http/set_filter_state/v3/set_filter_state.proto",
	"envoy/extensions/filters/listener/http_inspector/v3/http_inspector.proto",
	"envoy/extensions/filters/listener/original_dst/v3/original_dst.proto",
	"envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto",
	"envoy/extensions/filters/network/connection_limit/v3/connection_limit.proto",
	"envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto",
	"envoy/extensions/filters/network/rbac/v3/rbac.proto",
	"envoy/extensions/filters/network/set_filter_state/v3/set_filter_state.proto",
	"envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy.proto",
	"envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto",
	"envoy/extensions/http/early_header_mutation/header_mutation/v3/header_mutation.proto",
	"envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto",
	"envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config.proto",
	"envoy/extensions/transport_sockets/internal_upstream/v3/internal_upstream.proto",
	"envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto",
	"envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer.proto",
	"envoy/extensions/transport_sockets/tls/v3/tls.proto",
	"envoy/extensions/upstreams/http/v3/http_protocol_options.proto",
	"envoy/service/accesslog/v3/als.proto",
	"envoy/service/discovery/v3/ads.proto",
	"envoy/service/runtime/v3/rtds.proto",
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: envoy-descriptor OUTPUT")
		os.Exit(2)
	}
	if err := write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write(output string) error {
	closure := &descriptorpb.FileDescriptorSet{}
	seen := map[string]bool{}
	for _, root := range roots {
		file, err := protoregistry.GlobalFiles.FindFileByPath(root)
		if err != nil {
			return fmt.Errorf("%s: %w", root, err)
		}
		collect(file, seen, closure)
	}
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(closure)
	if err != nil {
		return err
	}
	fmt.Printf("%d files, %d bytes\n", len(closure.GetFile()), len(bytes))
	return os.WriteFile(output, bytes, 0o644)
}

// collect appends imports before the file that needs them, the order that protoc's plugins expect.
func collect(file protoreflect.FileDescriptor, seen map[string]bool, closure *descriptorpb.FileDescriptorSet) {
	if seen[file.Path()] {
		return
	}
	seen[file.Path()] = true
	imports := file.Imports()
	for i := 0; i < imports.Len(); i++ {
		collect(imports.Get(i).FileDescriptor, seen, closure)
	}
	closure.File = append(closure.File, protodesc.ToFileDescriptorProto(file))
}
