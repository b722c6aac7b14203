#!/usr/bin/env bash
# Installs stslint on a runner: the release where there is one for this machine, else from the source.
# Reads STSLINT_VERSION (empty: the version of this source) and ACTION_PATH (the root of this source).
set -euo pipefail

repository=https://github.com/stslint/stslint
own=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$ACTION_PATH/Cargo.toml" | head -n 1)
version=${STSLINT_VERSION:-$own}
version=${version#v}
if ! [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]]; then
  echo "::error title=stslint::version is no version such as 0.1.0"
  exit 2
fi
folder=${RUNNER_TEMP:-/tmp}/stslint-$version
mkdir -p "$folder"
echo "$folder" >> "$GITHUB_PATH"

release() {
  local name=stslint-$version-x86_64-unknown-linux-musl.tar.gz
  [ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || return 1
  local file
  for file in "$name" "$name.sha256"; do
    curl --fail --silent --location --proto '=https' --tlsv1.2 --max-time 120 --output "$folder/$file" \
      "$repository/releases/download/v$version/$file" || return 1
  done
  if ! (cd "$folder" && sha256sum --check --status "$name.sha256"); then
    echo "::error title=stslint::the checksum of $name is wrong"
    exit 2
  fi
  tar --extract --gzip --file "$folder/$name" --directory "$folder" stslint
}

if release; then
  echo "stslint $version: the release"
  exit 0
fi
echo "stslint $version: there is no release for this machine, so it is built from the source"
source=(--git "$repository" --tag "v$version" stslint)
if [ "$version" = "$own" ]; then source=(--path "$ACTION_PATH"); fi
cargo install --locked --root "$folder/root" --target-dir "$folder/target" "${source[@]}"
mv "$folder/root/bin/"stslint* "$folder/"
rm -rf "$folder/target"
