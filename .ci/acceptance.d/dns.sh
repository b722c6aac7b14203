# shellcheck shell=bash
# A small internet's DNS: NSD serves a signed root, a signed `example.`, and domains below that are signed, not
# signed, and signed wrongly; two unbounds resolve, one that validates and one that does not.
# Sourced by .ci/acceptance.

zones=(. example.)

# A zone file from records on standard input, served under its name; NAME ends in a dot.
zone() { # NAME
  { printf '$ORIGIN %s\n$TTL 3600\n@ SOA ns.example. hostmaster.example. 1 3600 600 86400 300\n@ NS ns.example.\n' "$1"; cat; } \
    > "$dir/zone-$1"
  [[ " ${zones[*]} " == *" $1 "* ]] || zones+=("$1")
}

# The SHA-256 of a certificate's public key, as TLSA records of the form `3 1 1` hold it.
key_digest() { # CERTIFICATE
  openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d " " -f 1
}

# A mail domain below example.: its MX host, and where its policy host is.
domain() { # NAME MX-ADDRESS MX-HOST POLICY-HOST-ADDRESS
  zone "$1.example." << ZONE
@ MX 10 $3
mx A $2
mta-sts A $4
_mta-sts TXT "v=STSv1; id=20260101T000000"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tlsrpt@right.example"
_25._tcp.mx TLSA 3 1 1 $(key_digest "$dir/mx.leaf")
alias CNAME _mta-sts
ZONE
}

# Signs a zone and leaves its DS record in ds-NAME; further arguments go to ldns-signzone.
sign() { # NAME [OPTION…]
  local name=$1 ksk zsk
  shift
  ksk=$(cd "$dir" && ldns-keygen -a ECDSAP256SHA256 -k "$name")
  zsk=$(cd "$dir" && ldns-keygen -a ECDSAP256SHA256 "$name")
  (cd "$dir" && ldns-signzone "$@" -o "$name" -f "zone-$name.signed" "zone-$name" "$ksk" "$zsk" &&
    ldns-key2ds -n -2 "$ksk.key" > "ds-$name")
  mv "$dir/zone-$name.signed" "$dir/zone-$name"
  cp "$dir/$ksk.key" "$dir/ksk-$name"
}

# The zones above the domains, signed last, since they vouch for those below.
sign_parents() { # DOMAIN…
  { printf 'ns A 127.0.0.1\n'
    for name in "${zones[@]:2}"; do printf '%s NS ns.example.\n' "$name"; done
    for name in "$@"; do cat "$dir/ds-$name.example."; done; } | zone example.
  sign example. -n
  { printf 'example. NS ns.example.\nns.example. A 127.0.0.1\n'; cat "$dir/ds-example."; } | zone .
  sign .
}

start_nsd() { # PORT
  {
    printf 'server:\n  ip-address: 127.0.0.1@%s\n  username: ""\n  database: ""\n  zonesdir: "%s"\n  pidfile: "%s/nsd.pid"\n' "$1" "$dir" "$dir"
    printf '  xfrdfile: "%s/xfrd"\n  zonelistfile: "%s/zones"\n  xfrdir: "%s"\n  logfile: "%s/nsd.log"\n  server-count: 1\n' "$dir" "$dir" "$dir" "$dir"
    printf 'remote-control:\n  control-enable: no\n'
    for name in "${zones[@]}"; do printf 'zone:\n  name: "%s"\n  zonefile: "zone-%s"\n' "$name" "$name"; done
  } > "$dir/nsd.conf"
  nsd -c "$dir/nsd.conf"
}

# A resolver over UDP and TCP, over TLS and over HTTPS.
start_unbound() { # NAME MODULES NSD-PORT PORT TLS-PORT HTTPS-PORT [FURTHER-INTERFACE]
  {
    printf 'server:\n  username: ""\n  chroot: ""\n  directory: "%s"\n  pidfile: "%s/%s.pid"\n  use-syslog: no\n  logfile: "%s/%s.log"\n' "$dir" "$dir" "$1" "$dir" "$1"
    printf '  module-config: "%s"\n  trust-anchor-file: "%s/ksk-."\n  do-not-query-localhost: no\n  num-threads: 1\n' "$2" "$dir"
    printf '  interface: 127.0.0.1@%s\n  interface: 127.0.0.1@%s\n  interface: 127.0.0.1@%s\n' "$4" "$5" "$6"
    [ -n "${7:-}" ] && printf '  interface: %s\n' "$7"
    printf '  tls-port: %s\n  https-port: %s\n  tls-service-key: "%s/dns.key"\n  tls-service-pem: "%s/dns.pem"\n' "$5" "$6" "$dir" "$dir"
    printf 'remote-control:\n  control-enable: no\n'
    for name in "${zones[@]}"; do printf 'stub-zone:\n  name: "%s"\n  stub-addr: 127.0.0.1@%s\n' "$name" "$3"; done
  } > "$dir/$1.conf"
  unbound -c "$dir/$1.conf"
}
