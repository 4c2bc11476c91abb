# For the Dockerfile: what the driver runs, and what OpenFace is linked with unless the base has it.
set -eu

packages="ca-certificates ffmpeg python3"
if [ ! -x /home/openface-build/build/bin/FeatureExtraction ]; then
    # As in upstream's own Dockerfile.
    packages="$packages libavcodec-dev libavformat-dev libjpeg-dev liblapack-dev libopenblas-dev
        libpng-dev libswscale-dev libtbb-dev libtbb2 libtiff-dev"
fi
apt-get update -qq
# Unquoted: one word for each package.
apt-get install -qq -y --no-install-recommends $packages
apt-get clean
rm -rf /var/lib/apt/lists/*
