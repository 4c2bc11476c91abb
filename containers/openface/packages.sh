# For the Dockerfile: what the driver runs, and what OpenFace is linked with unless the base has it.
set -eu

packages="ca-certificates ffmpeg python3"
if [ ! -x /home/openface-build/build/bin/FeatureExtraction ]; then
    # As in upstream's own Dockerfile.
    packages="$packages libavcodec-dev libavformat-dev libjpeg-dev liblapack-dev libopenblas-dev
        libpng-dev libswscale-dev libtbb-dev libtbb2 libtiff-dev"
fi
too_old() {
    echo "This base cannot run the driver: $1. Take Ubuntu 18.04, Debian 10, or newer." >&2
    exit 1
}
apt-get update -qq
# Unquoted: one word for each package.
apt-get install -qq -y --no-install-recommends $packages || too_old "its archive lacks one of $(echo $packages)"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 6))' \
    || too_old "its Python is $(python3 -c 'import platform; print(platform.python_version())')"
apt-get clean
rm -rf /var/lib/apt/lists/*
