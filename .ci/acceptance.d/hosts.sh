# shellcheck shell=bash
# Policy hosts by nginx and `openssl s_server`, MX hosts by Postfix. Sourced by .ci/acceptance.

write_policy() {
  mkdir -p "$dir/www/.well-known"
  printf 'version: STSv1\r\nmode: enforce\r\nmx: mx.right.example\r\nmax_age: 1209600\r\n' > "$dir/www/.well-known/mta-sts.txt"
}

site() { # NAME CERTIFICATE BODY
  printf 'server { listen 127.0.0.1:%s ssl http2; server_name mta-sts.%s.example; ssl_certificate %s; ssl_certificate_key %s/%s.key; default_type "text/plain; charset=utf-8"; %s }\n' \
    "$https_port" "$1" "$2" "$dir" "$1" "$3"
}

start_nginx() { # the sites on standard input
  { printf 'pid %s/nginx.pid;\nerror_log %s/nginx.log;\nevents {}\nhttp { access_log off;\n' "$dir" "$dir"; cat; printf '}\n'; } > "$dir/nginx.conf"
  chmod -R a+rX "$dir"
  nginx -c "$dir/nginx.conf" 2> "$dir/nginx.start" || { cat "$dir/nginx.start"; return 1; }
}

# A policy host that speaks nothing newer than TLS 1.1.
start_old_https() { # ADDRESS
  openssl s_server -quiet -accept "$1:$https_port" -tls1_1 -cipher DEFAULT@SECLEVEL=0 -WWW \
    -cert "$dir/host.pem" -key "$dir/host.key" > "$dir/s_server.log" 2>&1 < /dev/null &
  echo $! > "$dir/s_server.pid"
}

start_postfix() { # NAME ADDRESS HOST TLS-SETTINGS
  mkdir -p "$dir/$1" "$dir/spool-$1" "$dir/data-$1"
  chown postfix "$dir/data-$1"
  cat > "$dir/$1/main.cf" << CF
compatibility_level = 3.6
queue_directory = $dir/spool-$1
data_directory = $dir/data-$1
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = $3
mydestination =
local_recipient_maps =
alias_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no
maillog_file = $dir/log-$1
maillog_file_prefixes = $dir
smtpd_relay_restrictions = reject_unauth_destination
$4
CF
  cat > "$dir/$1/master.cf" << CF
$2:$smtp_port inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
CF
  postfix -c "$dir/$1" start > "$dir/postfix-$1.log" 2>&1 || { cat "$dir/postfix-$1.log"; return 1; }
}
