# shellcheck shell=bash
# A certificate authority with an intermediate, and servers' certificates in the states that people meet.
# Sourced by .ci/acceptance; everything goes into $dir.

new_key() { # FILE
  openssl ecparam -name prime256v1 -genkey -noout -out "$1"
}

make_authority() {
  new_key "$dir/root.key"
  openssl req -x509 -key "$dir/root.key" -days 3650 -subj "/O=Acceptance/CN=Acceptance Root" -out "$dir/root.pem"
  new_key "$dir/inter.key"
  openssl req -new -key "$dir/inter.key" -subj "/O=Acceptance/CN=Acceptance Intermediate" -out "$dir/inter.csr"
  openssl x509 -req -in "$dir/inter.csr" -CA "$dir/root.pem" -CAkey "$dir/root.key" -CAcreateserial -days 3000 \
    -extfile <(printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n') \
    -out "$dir/inter.pem" 2> /dev/null
}

extensions() { # DNS-ID
  printf '[leaf]\nsubjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$1"
}

# NAME.pem (with the intermediate), NAME.leaf (without), NAME.key
leaf() { # NAME DNS-ID
  new_key "$dir/$1.key"
  openssl req -new -key "$dir/$1.key" -subj "/CN=$2" -out "$dir/$1.csr"
  openssl x509 -req -in "$dir/$1.csr" -CA "$dir/inter.pem" -CAkey "$dir/inter.key" -CAcreateserial -days 90 \
    -extensions leaf -extfile <(extensions "$2") -out "$dir/$1.leaf" 2> /dev/null
  cat "$dir/$1.leaf" "$dir/inter.pem" > "$dir/$1.pem"
}

# The same with an RSA key.
rsa_leaf() { # NAME DNS-ID
  new_key() { openssl genrsa -out "$1" 2048 2> /dev/null; }
  leaf "$1" "$2"
  new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
}

# The same, out of its dates since 2020.
expired_leaf() { # NAME DNS-ID
  leaf "$1" "$2"
  mkdir -p "$dir/ca"
  : > "$dir/ca/index"
  printf '[ca]\ndefault_ca=it\n[it]\ndatabase=%s/ca/index\nnew_certs_dir=%s/ca\ndefault_md=sha256\nrand_serial=yes\npolicy=any\n[any]\ncommonName=supplied\n' \
    "$dir" "$dir" > "$dir/ca/conf"
  openssl ca -batch -notext -config "$dir/ca/conf" -cert "$dir/inter.pem" -keyfile "$dir/inter.key" \
    -startdate 20200101000000Z -enddate 20200301000000Z -extensions leaf -extfile <(extensions "$2") \
    -in "$dir/$1.csr" -out "$dir/$1.leaf" 2> /dev/null
  cat "$dir/$1.leaf" "$dir/inter.pem" > "$dir/$1.pem"
}

# Signed with its own key.
self_signed() { # NAME DNS-ID
  new_key "$dir/$1.key"
  openssl req -x509 -key "$dir/$1.key" -days 90 -subj "/CN=$2" -config <(printf '[req]\ndistinguished_name=n\n[n]\n'; extensions "$2") \
    -extensions leaf -out "$dir/$1.pem"
}
