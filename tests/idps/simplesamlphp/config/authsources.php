<?php

/** The users: SimpleSAMLphp's example source keeps them as "name:password" => attributes. */

$settings = require __DIR__ . '/settings.php';

$users = ['exampleauth:UserPass'];
foreach ($settings['users'] as $name => $user) {
    $users[$name . ':' . $user['password']] = $user['attributes'];
}

$config = ['users' => $users];
