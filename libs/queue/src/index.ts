export { connectChannel } from "./channel/connect.ts";
export { FrameChannel } from "./channel/frame-channel.ts";
export { type ChannelListener, listenChannel } from "./channel/listen.ts";
export { receiveRecords, sendRecord } from "./channel/record.ts";
export type { QueueName, RedisAddress } from "./jobs/connection.ts";
export { type Consumer, consume } from "./jobs/consumer.ts";
export { createProducer, type Producer } from "./jobs/producer.ts";
export { requireRedis } from "./jobs/require-redis.ts";
export { type PrivateRedis, startPrivateRedis } from "./testing/private-redis.ts";
