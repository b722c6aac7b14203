#!/usr/bin/env bash
# Runs `stslint check` with the inputs of the action, which are in variables STSLINT_…: they are words for stslint
# alone, and never part of a command.
set -euo pipefail

workspace=$PWD
cd "${STSLINT_WORKING_DIRECTORY:-.}"
words=(check --format github)
inputs=()

# Adds `--option=LINE` for each line.
lines() {
  local option=$1 line
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line%$'\r'}
    if [[ $line =~ [^[:space:]] ]]; then words+=("--$option=$line"); fi
  done <<< "$2"
}

# A path as an output of this step: from the workspace's root.
output() {
  local path=$2
  if [[ $path == *$'\n'* ]]; then
    echo "::error title=stslint::$1 is one line"
    exit 2
  fi
  if [[ -n $path && $path != /* ]]; then
    path=$(realpath --canonicalize-missing --relative-to "$workspace" -- "$path" 2> /dev/null || echo "$path")
  fi
  echo "$1=$path" >> "$GITHUB_OUTPUT"
}

policies=()
while IFS= read -r line || [ -n "$line" ]; do
  line=${line%$'\r'}
  if [[ $line =~ [^[:space:]] ]]; then policies+=("$line"); fi
done <<< "${STSLINT_POLICY:-}"
for path in ${policies[@]+"${policies[@]}"}; do words+=("--policy=$path"); done

lines record "${STSLINT_RECORD:-}"
lines tlsrpt "${STSLINT_TLSRPT:-}"
lines mx "${STSLINT_MX:-}"
lines snapshot "${STSLINT_SNAPSHOT:-}"
lines baseline "${STSLINT_BASELINE:-}"
lines config "${STSLINT_CONFIG:-}"
lines rules "${STSLINT_RULES:-}"
lines select "${STSLINT_SELECT:-}"
lines ignore "${STSLINT_IGNORE:-}"
lines fail-on "${STSLINT_FAIL_ON:-}"
lines require-complete "${STSLINT_REQUIRE_COMPLETE:-}"
if [ "${STSLINT_SMTP:-false}" != true ]; then words+=(--no-smtp); fi
output sarif-file "${STSLINT_SARIF_FILE:-}"
output markdown-file "${STSLINT_MARKDOWN_FILE:-}"
if [ -n "${STSLINT_SARIF_FILE:-}" ]; then words+=("--output=sarif=$STSLINT_SARIF_FILE"); fi
if [ -n "${STSLINT_MARKDOWN_FILE:-}" ]; then words+=("--output=markdown=$STSLINT_MARKDOWN_FILE"); fi
# stslint itself adds its report to the summary of the step.
if [ "${STSLINT_SUMMARY:-true}" != true ]; then unset GITHUB_STEP_SUMMARY; fi
read -r -d '' -a domains <<< "${STSLINT_DOMAINS:-}" || true
inputs+=(${domains[@]+"${domains[@]}"})

code=0
stslint "${words[@]}" -- ${inputs[@]+"${inputs[@]}"} || code=$?
echo "exit-code=$code" >> "$GITHUB_OUTPUT"
exit "$code"
