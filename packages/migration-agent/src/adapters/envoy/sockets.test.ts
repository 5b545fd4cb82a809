import { expect, test } from '@jest/globals';
import { EnvoySockets } from './sockets.js';

test('Envoy is asked only for names that it can read: any other would end it', async () => {
  const asked: string[] = [];
  const sockets = new EnvoySockets({ all: () => [], add: () => undefined, drop: () => undefined }, () => undefined);
  await sockets.settle({
    listeners: async () => ['127.0.0.1:80', '[::1]:80', '/run/app.sock', 'app.sock', '@abstract', '@10:80'],
    listenSocket: async (address) => {
      asked.push(address);
      return undefined;
    },
  });
  expect(asked).toEqual([
    'tcp://127.0.0.1:80',
    'udp://127.0.0.1:80',
    'tcp://[::1]:80',
    'udp://[::1]:80',
    'unix:///run/app.sock',
    'unix://app.sock',
  ]);
});
