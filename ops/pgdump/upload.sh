#!/bin/sh
# Copies the newest encrypted dump of OUT to PGDUMP_BUCKET at SYNC_ENDPOINT, by the aws client that CI images have. A dump in the clear is never sent.
set -eu
folder=${OUT:-.jeeves/pgdump}
newest=$(ls "$folder"/jeeves-*.dump.age 2>/dev/null | tail -n 1)
if [ -z "$newest" ]; then
  echo "no encrypted dump in $folder: AGE_RECIPIENT=… make backup-pgdump" >&2
  exit 1
fi
: "${SYNC_ENDPOINT:?}" "${PGDUMP_BUCKET:?}" "${SYNC_ACCESS_KEY_ID:?}" "${SYNC_SECRET_ACCESS_KEY:?}"
AWS_ACCESS_KEY_ID=$SYNC_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY=$SYNC_SECRET_ACCESS_KEY AWS_DEFAULT_REGION=${SYNC_REGION:-auto} \
  aws s3 cp --only-show-errors --endpoint-url "$SYNC_ENDPOINT" "$newest" "s3://$PGDUMP_BUCKET/pgdump/$(basename "$newest")"
echo "sent $(basename "$newest")"
