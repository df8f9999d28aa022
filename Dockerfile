# The build: the same script as on any Debian 12, then the release preset. npm fetches what the dashboard
# is bundled with, unless clients/dashboard/node_modules comes with the source. DASHBOARD: ON, OFF, or
# auto, which says so and leaves it out where npm reaches nothing.
FROM debian:bookworm-slim AS build
ARG DASHBOARD=auto
WORKDIR /src
COPY scripts/bootstrap.sh scripts/
RUN scripts/bootstrap.sh && rm -rf /var/lib/apt/lists/*
COPY . .
RUN if [ "$DASHBOARD" = auto ]; then \
        DASHBOARD=ON; \
        scripts/packages.sh clients/dashboard || { \
            echo "NO DASHBOARD in this image: npm could not install it (above); --build-arg DASHBOARD=ON insists"; \
            DASHBOARD=OFF; }; \
    fi && \
    cmake --preset release -DOCK_DASHBOARD="$DASHBOARD" && cmake --build --preset release && \
    DESTDIR=/out cmake --install build/release --prefix /usr/local --strip

# What runs: two executables, their libraries, and a script that makes a token on the first start.
FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends libmicrohttpd12 libcjson1 libsqlite3-0 \
        libcurl4 zlib1g libgomp1 && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/*.log /var/log/apt && \
    groupadd --gid 10001 ockham && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data \
        --shell /usr/sbin/nologin ockham && \
    install -d -o ockham -g ockham -m 0700 /data
COPY --from=build /out/usr/local/bin/ /usr/local/bin/
COPY --from=build /src/LICENSE /usr/local/share/doc/ockham/LICENSE
COPY --chmod=0755 scripts/container.sh /usr/local/bin/ockham-container
# By number: so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENV OCKHAM_URL=http://127.0.0.1:8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["ockham", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["ockham-container"]
CMD ["serve"]
