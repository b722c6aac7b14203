# A static stslint and nothing else:
#   docker build -t stslint .
#   docker run --rm stslint check example.com
#   docker run --rm -v "$PWD:/work:ro" stslint check --policy mta-sts.txt
# Roots and rules are built in; the container's /etc/resolv.conf says who answers DNS questions.
# A release names the image by its digest too, and says which it was: --build-arg BUILD_IMAGE=rust:1-alpine@sha256:…
ARG BUILD_IMAGE=rust:1-alpine
FROM ${BUILD_IMAGE} AS build
RUN apk add --no-cache gcc musl-dev python3
WORKDIR /src
# What `--version` says: the repository is not in here.
ARG STSLINT_COMMIT STSLINT_COMMIT_DATE
COPY . .
RUN cargo build --profile dist --locked \
  && mkdir -p /image/work && mkdir -m 1777 /image/tmp \
  && contrib/release/notices > /image/THIRD-PARTY-NOTICES \
  && cp LICENSE-APACHE LICENSE-MIT /image/ \
  && mv target/dist/stslint /image/stslint

# The web validator: docker build --target serve -t stslint-serve . && docker run -p 8080:8080 -v results:/work stslint-serve
FROM scratch AS serve
COPY --from=build /image /
COPY --from=build --chown=65532:65532 /image/work /work
USER 65532:65532
WORKDIR /work
EXPOSE 8080
ENTRYPOINT ["/stslint", "serve", "--listen", "0.0.0.0:8080", "--store", "/work/results.db"]

FROM scratch
COPY --from=build /image /
USER 65532:65532
WORKDIR /work
ENTRYPOINT ["/stslint"]
CMD ["--help"]
