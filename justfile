# `just` lists these. Each is one command that can also be typed.
default:
    @just --list

# All that has to hold before a change lands
ci:
    .ci/run

test:
    cargo test

# A full run against made-up pages on loopback
demo:
    cargo run --release --example demo

# Feeds, entries and bytes per second; `just bench 200` for a smaller corpus
bench feeds="2000":
    cargo bench --bench poll -- --feeds {{feeds}}

# Megabytes of feeds read per second, beside feed-rs and sfeed
bench-read feeds="200":
    cargo bench --bench read -- {{feeds}}

# Size, recall and time of the search index over so many made-up articles
bench-search articles="200000":
    cargo bench --bench search -- {{articles}}

# Any bytes into the readers, so many seconds each (wants cargo-fuzz)
fuzz seconds="60":
    scripts/fuzz.sh {{seconds}}

# The Debian package, in target/debian (wants cargo-deb)
deb:
    packaging/deb

# The container image (wants podman or docker)
image:
    podman build --tag feedmill --file packaging/Containerfile .
# What systemd thinks of the units, with the built program in place of the installed one
units:
    cargo test --test it the_units_are_sound
