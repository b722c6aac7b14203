//! The description of the API (OpenAPI 3.1), with the schema of reports that `stslint schema report` prints.

use serde_json::{Value, json};

/// The document.
pub fn document() -> Value {
    let id = json!({
        "name": "id", "in": "path", "required": true, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}
    });
    let format = json!({
        "name": "format", "in": "query",
        "schema": {"type": "string", "enum": ["html", "json", "markdown", "sarif", "snapshot"], "default": "json"}
    });
    let max_age = json!({
        "name": "max_age", "in": "query",
        "description": "A result may be so many seconds old; an older one is replaced by a new check, within the limits. At least 60.",
        "schema": {"type": "integer", "minimum": 0}
    });
    let state = |about: &str| json!({"description": about, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CheckState"}}}});
    let failure = |about: &str| json!({"description": about, "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "stslint",
            "version": "1",
            "summary": "Checks how a mail domain publishes MTA-STS (RFC 8461) and TLSRPT (RFC 8460).",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"}
        },
        "paths": {
            "/api/v1/checks": {"post": {
                "operationId": "check",
                "summary": "Check a domain, or get the fresh result that there is",
                "parameters": [max_age],
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/CheckRequest"}}}},
                "responses": {
                    "200": state("There is a fresh result; `Location` leads to it."),
                    "202": state("The check waits or runs; `Location` leads to its result."),
                    "400": failure("The body is not JSON."),
                    "403": failure("The domain is not looked at here."),
                    "413": failure("The body is too large."),
                    "415": failure("The body is not said to be JSON."),
                    "422": failure("The body is not a request for a check, or the domain is not a domain."),
                    "429": failure("The client's limit is reached; `Retry-After` says when the next check is possible."),
                    "503": failure("The limit of the service is reached; `Retry-After` says when the next check is possible.")
                }
            }},
            "/api/v1/checks/{id}": {"get": {
                "operationId": "result",
                "summary": "The result of a check",
                "parameters": [id, format],
                "responses": {
                    "200": {
                        "description": "The result in the format asked for; as JSON it is what `stslint schema report` describes.",
                        "content": {
                            "application/json": {"schema": {"type": "object"}},
                            "application/sarif+json": {"schema": {"type": "object"}},
                            "text/html": {"schema": {"type": "string"}},
                            "text/markdown": {"schema": {"type": "string"}}
                        }
                    },
                    "202": state("The check waits or runs."),
                    "400": failure("There is no such format."),
                    "404": failure("There is no such result."),
                    "500": failure("The check failed, for a reason here.")
                }
            }},
            "/api/v1/lint": {"post": {
                "operationId": "lint",
                "summary": "Judge texts that are not published yet",
                "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/LintRequest"}}}},
                "responses": {
                    "200": {"description": "One report.", "content": {"application/json": {"schema": {"type": "object"}}}},
                    "400": failure("The body is not JSON."),
                    "413": failure("The body is too large."),
                    "415": failure("The body is not said to be JSON."),
                    "422": failure("The body is not a request for a judgement.")
                }
            }}
        },
        "components": {"schemas": {
            "CheckRequest": {
                "type": "object", "required": ["domain"], "additionalProperties": false,
                "properties": {
                    "domain": {"type": "string", "maxLength": 1000},
                    "smtp": {"type": "boolean", "default": true, "description": "Connect to the MX hosts."},
                    "authoritative": {"type": "boolean", "default": false, "description": "Ask the zone's own name servers too."}
                }
            },
            "CheckState": {
                "type": "object", "required": ["id", "domain", "status", "url"],
                "properties": {
                    "id": {"type": "string"},
                    "domain": {"type": "string"},
                    "status": {"type": "string", "enum": ["queued", "running", "done", "failed"]},
                    "waiting_for": {"type": "integer", "minimum": 0, "description": "How many checks are in front."},
                    "url": {"type": "string"},
                    "removal": {"type": "string", "description": "Whoever knows this may remove the result; told once."}
                }
            },
            "LintRequest": {
                "type": "object", "additionalProperties": false,
                "properties": {
                    "record": {"type": "array", "items": {"type": "string"}},
                    "policy": {"type": "string"},
                    "tlsrpt": {"type": "array", "items": {"type": "string"}},
                    "mx": {"type": "array", "items": {"type": "string"}}
                }
            },
            "Problem": {
                "type": "object", "required": ["type", "title", "status"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"}
                }
            }
        }}
    })
}
