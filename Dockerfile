# syntax=docker/dockerfile:1
# The operator alone: one binary, CA certificates, no shell, no package manager, nobody's root.
#   docker build --tag agent-engine-operator .
# To build the same bits again, pass both base images by digest and SOURCE_DATE_EPOCH of the commit.

# The version of rust-toolchain.toml; both stages are the same Debian, so that the C library fits.
ARG BUILD_IMAGE=docker.io/library/rust:1.95.0-bookworm
ARG RUN_IMAGE=gcr.io/distroless/cc-debian12:nonroot

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY . .
# Paths of the build are no part of the binary, nor is the order in which crates were compiled.
ENV CARGO_INCREMENTAL=0 \
    RUSTFLAGS="--remap-path-prefix=/build=. --remap-path-prefix=/usr/local/cargo=cargo"
ARG SOURCE_DATE_EPOCH=0
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target,sharing=locked \
    cargo build --locked --release --bin agent-engine-operator \
    && install -D --mode=0555 target/release/agent-engine-operator /out/agent-engine-operator \
    && touch --date="@${SOURCE_DATE_EPOCH}" /out/agent-engine-operator

# Debian's C library and libgcc, CA certificates, an unprivileged user: all that the binary asks for.
FROM ${RUN_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="agent-engine-operator" \
      org.opencontainers.image.description="Kubernetes operator for Airbyte Agent Engine workspaces and their scoped tokens" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /out/agent-engine-operator /usr/local/bin/agent-engine-operator
# By number, so that a kubelet can tell that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/agent-engine-operator"]
CMD ["run"]
